"""`make image-check`: build the image, and run it as an operator would in the sandbox."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from bot.clock import SystemClock
from bot.db import Database
from bot.servers.keys import Plan
from bot.vault import Vault
from bot.version import VERSION
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.studii import Options, StudiiServer
from sandbox.studii.world import Key
from tests.image.build import ROOT, Container, Image, build, exported, missing
from tests.support.patience import PATIENCE, until
from tests.support.postgresql import free_port
from tests.support.resources import store_key

GUILD, MEMBER = 100, 200
MAX_MEGABYTES = 170
STOPS_WITHIN = 10.0  # seconds
# What the image leaves out of Babel and of the fonts is not missed.
WORDED = """
from datetime import date
from bot import languages as f
from bot.languages import (Language, gettext, speaking, OWN_NAMES)
from bot.media.drawing import FallbackFont
day, items = date(2026, 3, 5), ["a", "b", "c"]
for language in Language:
    with speaking(language):
        words = f.number(1234567), f.decimal(1234.5), f.day_words(day), f.day_words(day, short=True)
        words = *words, f.and_list(items), f.or_list(items), gettext("Nothing was spent.")
    said = "".join(words) + OWN_NAMES[language]
    print(ascii(words), FallbackFont(30).width(said), FallbackFont(30, "Semibold").width(said))
"""


def main() -> int:
    """Build, check, and say what was found. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the base and the layers are kept")
    parser.add_argument("--image", help="the name of one that docker has, which is checked instead")
    given = parser.parse_args()
    why = None if given.image else missing()
    ensure(why is None, f"{why}")
    with tempfile.TemporaryDirectory(prefix="studii-image-") as folder:
        started = perf_counter()
        if given.image:
            image = exported(given.image, Path(folder))
        else:
            image = build(given.folder or Path(folder))
            say(f"The image is built, in {perf_counter() - started:.0f} s.")
            say(f"Its own part has {image.own_megabytes} MB.")
            ensure(image.own_megabytes <= MAX_MEGABYTES, f"more than {MAX_MEGABYTES} MB")
        with tempfile.TemporaryDirectory(prefix="studii-data-") as data:
            asyncio.run(check(image, Path(data)))
    return 0


def say(words: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def ensure(true: object, otherwise: str) -> None:
    """End the check if something is not as it should be."""
    if not true:
        raise SystemExit(f"Failed: {otherwise}")


@dataclass
class Trial:
    """The image in the sandbox."""

    container: Container
    discord: DiscordServer
    key: Key

    async def use_key(self) -> None:
        """What an admin does: the server has a key, sealed."""
        data = self.container.data
        async with Database.open(f"sqlite+aiosqlite:///{data / 'studii.db'}") as db:
            vault = Vault.open((), data / "encryption.key")
            await store_key(db, vault, GUILD, self.key.secret, Plan.TEAM, SystemClock().now())
        user = int(self.container.image.config["User"])
        for one in data.iterdir():
            os.chown(one, user, user)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run the bot, and end it as a supervisor does."""
        self.discord.ready.clear()
        async with self.container.started("run") as process:
            ended = asyncio.create_task(process.wait())
            ready = asyncio.create_task(self.discord.ready.wait())
            await asyncio.wait({ended, ready}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if ended.done() and process.stderr is not None:
                raise SystemExit(f"Failed: it ended\n{(await process.stderr.read()).decode()}")
            yield
            process.send_signal(signal.SIGTERM)
            started = perf_counter()
            await asyncio.wait_for(ended, PATIENCE)
            seconds = perf_counter() - started
            ensure(process.returncode == 0, f"SIGTERM ended it with {process.returncode}")
            ensure(seconds < STOPS_WITHIN, f"it took {seconds:.1f} s to stop")
            say(f"It stops on SIGTERM within {seconds:.1f} s.")


async def check(image: Image, data: Path) -> None:
    """Do with the image what docs/operators.md says."""
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        port = str(free_port())
        settings = {"DISCORD_TOKEN": TOKEN, "STUDII_API_URL": studii.url, "HEALTH_PORT": port}
        trial = Trial(Container(image, data, discord.api, settings), discord, studii.add_key("team"))
        run = trial.container.ran
        status, out, errors = await run("--version")
        ensure(out.decode() == f"Studii for Discord {VERSION}\n", f"--version: {out!r} {errors}")
        status, out, errors = await run(code="print(open('/app/LICENSE').read(), open('/app/NOTICE').read())")
        for words in (b"MIT License", b"\npillow ", b"  with libheif ", b"\nlibc6 "):
            ensure(words in out, f"LICENSE and NOTICE have no {words!r}: {out!r} {errors}")
        say("It has its licence, and a notice of the others.")
        status, out, errors = await run("doctor")
        ensure(status == 0, f"doctor: {out.decode()} {errors}")
        say("doctor is content.")
        status, out, errors = await run(code=WORDED)
        ensure(status == 0 and out == await worded_here(), f"languages: {out.decode()} {errors}")
        say("It speaks its languages, and has letters for them.")
        async with trial.running():
            pass
        await trial.use_key()
        async with trial.running():
            await until(lambda: well(trial.container), "health to say that it is well")
            say("health says that it is well.")
            discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
            await until(lambda: [one for one in discord.in_channel(GUILD) if one.files], "the picture")
            say("A picture was asked for, and is posted.")
            status, backup, errors = await run("backup", "-")
            ensure(status == 0 and backup.startswith(b"SQLite format 3"), f"backup: {errors}")
        status, out, errors = await run("restore", "-", given=backup)
        ensure(status == 0, f"restore: {errors}")
        say("A backup went out through a pipe, and came back through one.")
        async with trial.running():
            pass
        with tempfile.TemporaryDirectory(prefix="studii-panel-") as files:
            await as_on_a_panel(trial, Path(files))


async def worded_here() -> bytes:
    """Return what this machine's Python says with all of Babel."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORDED, stdout=pipe, cwd=ROOT)
    return (await process.communicate())[0]


async def as_on_a_panel(trial: Trial, files: Path) -> None:
    """Run it as Pterodactyl's Wings does: with the egg's variables, as another user, in its folder."""
    egg = json.loads((ROOT / "deploy" / "pterodactyl" / "egg-studii.json").read_text("utf-8"))
    variables = {one["env_variable"]: one["default_value"] for one in egg["variables"]}
    contained = trial.container
    settings = {**variables, **contained.settings}
    panel = replace(contained, data=files, settings=settings, volume="/home/container", user="988")
    async with replace(trial, container=panel).running():
        await until(lambda: well(panel), "health to say that it is well")
    ensure((files / "data" / "studii.db").exists(), "its data isn't in the server's files")
    say("It runs as Pterodactyl's egg says.")


async def well(container: Container) -> bool:
    """Return whether the bot in it says that it is well."""
    return (await container.ran("health"))[0] == 0


if __name__ == "__main__":
    sys.exit(main())
