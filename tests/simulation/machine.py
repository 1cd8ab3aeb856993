"""The machine that the bot runs on: processes one after another on the same files.

What a process leaves is what a kill leaves: its files as they are at that moment, and nothing of its memory.
The next one gets a copy of them, since the open files and locks of a dead process are those of the
simulation, which lives on.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discord.webhook.async_ import AsyncWebhookAdapter, async_context

from bot import app
from bot.client.login import choose_intents
from bot.config import Settings
from sandbox.discord.emulator.server import TOKEN
from tests.simulation.loop import Clock, Killed, Loop
from tests.simulation.media import Decoder
from tests.simulation.network import Network
from tests.simulation.studii_world import HOST

FILE = "studii.db"


class Machine:
    """Runs the bot.

    `lives` are from when to when each process lived. `unhandled` is called with what a process's loop could
    not handle, and `failed` with the error with which a process ended by itself.
    """

    def __init__(self, clock: Clock, network: Network, folder: Path) -> None:
        self.clock, self._network, self._folder = clock, network, folder
        self.away = 5.0  # seconds until the next process, once this one is killed or stopped
        self.loses = ""  # the pattern of the files' names that one does not find
        self.decoder = Decoder(clock.random("decoder"))
        self.lives: list[tuple[float, float]] = []
        self.loop: Loop | None = None
        self.stop = asyncio.Event()
        self.steps = self.statements = 0
        self._over = False
        self.at_start: Callable[[Loop], None] = lambda _: None
        self.unhandled: Callable[[str], None] = lambda _: None
        self.failed: Callable[[BaseException], None] = lambda _: None

    @property
    def files(self) -> Path:
        """Return the folder of the process that runs, or of the last one."""
        return self._folder / str(max(0, len(self.lives) - (self.loop is None)))

    @property
    def database(self) -> Path:
        return self.files / FILE

    def kill(self, steps: int) -> None:
        """Kill the process in so many steps of its tasks."""
        if self.loop is not None:
            self.loop.kill_at = self.loop.steps + max(1, steps)

    def terminate(self) -> None:
        """Ask the process to stop, as SIGTERM does."""
        if self.loop is not None:
            self.loop.deliver(self.stop.set)

    def finish(self) -> None:
        """End the simulation."""
        self._over = True
        if self.loop is not None:
            self.loop.deliver(self.loop.stop)

    def run(self, until: float) -> None:
        """Let processes live one after another until that moment, or until `finish`."""
        clock = self.clock
        clock.after(until - clock.now, self.finish)
        while not self._over:
            began = clock.now
            died = self._live()
            self.lives.append((began, clock.now))
            clock.note("process", len(self.lives), died, "after", self.loop.steps if self.loop else 0)
            self._end()
            if died:
                clock.run_until(clock.now + self.away)
                self.away = 5.0

    def _live(self) -> str:
        """Run one process; return how it ended, or nothing if the simulation did."""
        clock = self.clock
        files = self._folder / str(len(self.lives))
        if self.lives:
            before, lost = self._folder / str(len(self.lives) - 1), shutil.ignore_patterns(self.loses)
            shutil.copytree(before, files, ignore=lost)
            self.loses = ""
        else:
            files.mkdir(exist_ok=True)
        loop = self.loop = Loop(clock, f"process {len(self.lives)}", self._network)
        loop.set_exception_handler(self._handle)
        loop.executes = self._executes
        self.at_start(loop)
        main = loop.create_task(self._main(files), context=loop.context)
        main.add_done_callback(lambda _: loop.stop())
        try:
            loop.run_forever()
        except Killed:
            return "killed"
        if not main.done():
            return ""
        if (error := main.exception()) is None:
            return "stopped"
        clock.note("error", type(error).__name__)
        self.failed(error)
        return "failed"

    async def _main(self, files: Path) -> None:
        async_context.set(
            AsyncWebhookAdapter()
        )  # its locks belong to a module, and would outlive a killed process
        settings = Settings.read(
            discord_token=TOKEN,
            database_url=f"sqlite:///{files / FILE}",
            studii_api_url=f"https://{HOST}/api/v1",
            encryption_keys="",
        )
        self.stop = asyncio.Event()
        async with app.build(
            settings, intents=lambda: choose_intents(TOKEN, "auto"), decoder=self.decoder
        ) as built:
            await app.run_parts(built, TOKEN, self.stop)

    def _executes(self) -> None:
        self.statements += 1

    def _handle(self, _: object, what: dict[str, Any]) -> None:
        # discord.py drops a connection to the gateway that ends before its Hello: the collector closes it.
        dropped = getattr(what.get("client_connection"), "_key", None)
        if dropped is not None and dropped.host.startswith("gateway."):
            return
        self.unhandled(f"{what.get('message')} {what.get('exception')!r}")

    def _end(self) -> None:
        loop, self.loop = self.loop, None
        assert loop is not None
        self.steps += loop.steps
        self._network.lost(loop)
        loop.drop()
        old = self._folder / str(len(self.lives) - 2)
        if old.exists():
            shutil.rmtree(old)
