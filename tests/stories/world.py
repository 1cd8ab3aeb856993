"""The whole bot as people meet it: a process of its own, between the sandbox's Discord and Studii.

Nothing of the bot is imported. People act and read as on the demo's page (`sandbox/demo`); the process is
killed and started again, also days later.
"""

import asyncio
import math
import re
import signal
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.demo.acts import Acts
from sandbox.demo.people import Guest, held, text_of, until
from sandbox.demo.place import MAYA, MIKA, NORA, PEOPLE, PHOTO_DESK, TEAM, TOM, build
from sandbox.demo.view import View
from sandbox.discord.emulator import DiscordServer, Rules
from sandbox.discord.emulator.messages import Message
from sandbox.photos import empty_room
from sandbox.studii import Key, Options, StudiiServer
from sandbox.studii.clock import RealClock
from sandbox.studii.jobs import Durations
from tests.stories.later import AHEAD
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE
from tests.support.process import environment

DAY = 24 * 3600.0
QUICK = Options(instant=True, long_side=64)
A_SECOND = Options(long_side=64, durations=Durations(image=1.0, video=1.0, spread=0.0))
ROOM = ("room.jpg", empty_room((320, 240)), "image/jpeg")


def plain(message: Message) -> str:
    """Return all text of a message as it is read, without the marks that keep a prompt from formatting it.

    Commands are there as the code names them, without the ids of their links.
    """
    return re.sub(r"</([^:>]+):\d+>", r"`/\1`", text_of(message)).replace("\\", "")


def says_failed(answer: Message) -> bool:
    """Return whether a command's answer, which its person alone sees, says that its job failed."""
    assert answer.ephemeral, plain(answer)
    return "\n❌ " in plain(answer)


async def failed(answer: Message) -> str:
    """Wait until a command's answer says that its job failed, and return all that it says."""
    await until(lambda: says_failed(answer), "the answer to say that the job failed")
    return plain(answer)


def field_of(form: Mapping[str, Any]) -> str:
    """Return the custom id of a form's first field."""
    return next(held(form))[0]


@dataclass
class Later(RealClock):
    """The clock of Studii, set ahead as the bot's is."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self.seconds


@dataclass
class Town:
    """A server with an admin, a moderator and two members. `settings` are the bot's own."""

    discord: DiscordServer
    studii: StudiiServer
    folder: Path
    settings: dict[str, str]
    clock: Later
    log: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.acts = Acts(self.discord, View(self.discord), patience=PATIENCE)
        guests = {one.id: Guest(self.discord, self.acts, one) for one in PEOPLE}
        self.nora, self.mika, self.maya, self.tom = (guests[one] for one in (NORA, MIKA, MAYA, TOM))
        self.process: ForkedProcess
        self._reading: asyncio.Task[None]

    async def start(self) -> None:
        """Start the bot, and wait until it is connected."""
        settings = {
            "STUDII_API_URL": self.studii.url,
            **self.settings,
            AHEAD: str(self.clock.seconds),
        }
        self.discord.ready.clear()
        where = (self.discord.api, self.discord.cdn_address, "run")
        self.process = await ForkedProcess.start(where, self.folder, environment(settings))
        self._reading = asyncio.create_task(self._read(self.process))
        await until(lambda: self.discord.ready.is_set() and self.discord.commands, "the bot")

    async def _read(self, process: ForkedProcess) -> None:
        while line := await process.stderr.readline():
            self.log.append(line.decode())

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the bot's process, as a supervisor does."""
        self.process.send_signal(number)
        await self._reading
        await self.process.communicate()

    async def kill(self) -> None:
        """Kill the bot's process."""
        await self.stop(signal.SIGKILL)

    async def restart(self, later: float = 0.0) -> None:
        """Kill the bot's process and start another, `later` seconds later by its clock."""
        await self.kill()
        self.clock.seconds += later
        await self.start()

    async def said_of_polls(self, *words: str) -> Message:
        """Start the bot anew every 31 seconds by its clock, when it asks Studii about a job at least once,
        until it says these words. Return that message."""
        for _ in range(6):
            if (said := self.read(*words)) is not None:
                return said
            await self.stop()
            self.clock.seconds += 31
            asked = self.studii.requests.count("status")
            await self.start()
            await until(
                lambda asked=asked: self.studii.requests.count("status") > asked or self.read(*words),
                "a question to Studii, or what comes of the last one",
            )
        return await self.said(*words)

    async def set_key(self, key: Key | None = None, plan: str = "team", budget: int = 500) -> Key:
        """Let the admin enter a key, by default a new one, and set a daily budget."""
        key = key or self.studii.add_key("team", balance=5000)
        form = await self.nora.key_form()
        said = text_of(await self.nora.fill_in(form, {"key": key.secret, "plan": [plan]}))
        assert key.secret[-4:] in said, said
        await self.nora.command("studii budget", credits=budget, period="day")
        return key

    async def log_channel(self) -> None:
        """Let the admin choose where warnings are posted."""
        await self.nora.change("setup", "log_channel", str(TEAM))

    def read(self, *words: str, channel: int | None = None) -> Message | None:
        """Return the newest message of the bot that has all these words, also one that one person sees."""
        for one in reversed(self.discord.messages.values()):
            there = channel in (None, one.channel_id)
            if one.of_the_bot and there and all(word in plain(one) for word in words):
                return one
        return None

    async def said(self, *words: str, channel: int | None = None) -> Message:
        """Wait for such a message."""
        try:
            return await until(lambda: self.read(*words, channel=channel), f"{words} in a message")
        except TimeoutError:
            shown = [plain(one) for one in self.discord.messages.values() if one.of_the_bot]
            raise AssertionError(f"Nobody read {words}, but: {shown[-6:]}") from None

    def told_apart(self) -> list[str]:
        """Return the messages, other than answers, that say that a job has no result, oldest first."""
        shown = [plain(one) for one in self.discord.messages.values() if one.of_the_bot and not one.ephemeral]
        return [one for one in shown if "job failed" in one or "ended without a result" in one]

    async def spent(self) -> int:
        """Return the credits that the server's budget has lost, as `/studii budget` says."""
        said = text_of(await self.nora.command("studii budget"))
        found = re.search(r"([\d,]+) of ([\d,]+)", said)
        assert found is not None, said
        left, limit = (int(one.replace(",", "")) for one in found.groups())
        return limit - left

    def charged(self) -> int:
        """Return what Studii has charged for all jobs that have ended."""
        return sum(one.credits_charged(math.inf) for one in self.studii.jobs.values())

    def pictures(self) -> Iterator[Message]:
        """Yield the messages with files that the bot has posted in the channel, oldest first."""
        return (one for one in self.discord.in_channel(PHOTO_DESK) if one.of_the_bot and one.files)


@asynccontextmanager
async def town(
    folder: Path, options: Options = QUICK, *, key: bool = True, **settings: str
) -> AsyncGenerator[Town]:
    """Start everything; with `key`, the server's key and log channel are set."""
    # A start after a kill need not wait until another session may begin: a test of the process does.
    rules = Rules(identify_every=0)
    discord = DiscordServer(message_content=True, answers=PATIENCE, limits=None, rules=rules)
    build(discord)
    clock = Later()
    async with StudiiServer(options, clock=clock) as studii, discord:
        here = Town(discord, studii, folder, settings, clock)
        await here.start()
        try:
            if key:
                await here.set_key()
                await here.log_channel()
            yield here
        finally:
            await here.kill()
