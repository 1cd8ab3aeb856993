"""`make hostile`: files that were built to hold up or fill up whoever opens them, through the whole bot."""

import argparse
import asyncio
import logging
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.machine.held import MIB, Held
from tests.hostile.bot import Seen, Victim, innocents, made, victim
from tests.hostile.files import BLANK, MadeFile, files

MAX_SECONDS = 1.5  # for an innocent photo of 12 megapixels
MAX_TOGETHER_BYTES = 870 * MIB  # of all processes
MAX_OWN_BYTES = 20 * MIB
MAX_LATER_BYTES = 20 * MIB
MAX_STOP_SECONDS = 5.0
LATER = 60.0
WARM_UP = 2
COSTLIEST = (
    "PNG, 7900² of one colour",
    "WebP, 16383×2500 in 38 bytes",
    "TIFF, CMYK, 7900²",
    "GIF, 100,000 frames",
)
WIDTH = 140  # columns of the table where there is no terminal
COLUMNS = (
    "after: from the command until the file was taken or refused. photos: the same for the slower innocent"
    " one. bot: the most that the bot's own process held beyond what it holds while idle. decoders: the same"
    " for the processes that open pictures. in all: the most that both held at one moment, idle or not."
)


async def _run(console: Console, wanted: Sequence[MadeFile]) -> int:
    photos = await asyncio.to_thread(innocents, 4000, 3000)
    seen: list[Seen] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        async with victim(Path(folder)) as bot:
            # What is loaded when it is first used is not the files' doing.
            for _ in range(WARM_UP):
                await _meet(bot, BLANK, photos, bot.held(), console)
            quiet = await _meet(bot, BLANK, photos, bot.held(), console)
            idle = await bot.idle()
            for file in wanted:
                try:
                    seen.append(await _meet(bot, file, photos, idle, console))
                except (TimeoutError, RuntimeError) as error:
                    wrong.append(f"{file.name} ({error})")
                    if not bot.is_alive:
                        break
            if bot.is_alive and len(wanted) == len(list(files())):
                seen.append(await _flood(bot, photos, idle))
            console.print(_table(seen))
            console.print(COLUMNS)
            idles = f"the bot holds {idle.own / MIB:.0f} MiB, and its decoder {idle.decoders / MIB:.0f} MiB"
            console.print(f"While idle {idles}.")
            console.print(f"Beside a blank picture the slower photo took {quiet.innocent:.2f} s.")
            if bot.is_alive:
                wrong += await _left(bot, idle, console)
    wrong = [one.name for one in seen if _is_wrong(one)] + wrong
    if wrong:
        console.print("[red]Other than it should be: " + "; ".join(wrong))
    return len(wrong)


async def _flood(bot: Victim, photos: list[tuple[str, bytes]], idle: Held) -> Seen:
    """Send the four costliest files at the same moment; how soon they are taken is their sender's concern."""
    four = [one for one in files() if one.name in COSTLIEST]
    (_, data), *beside = [(one, await made(one)) for one in four]
    together = replace(four[0], name="the four costliest at once")
    return await bot.meet(together, data, photos, idle, beside=beside)


async def _left(bot: Victim, idle: Held, console: Console) -> list[str]:
    """Return what is wrong a minute later, and when the bot is stopped."""
    console.print(f"What is left is measured in {LATER:.0f} s …")
    await asyncio.sleep(LATER)
    now = bot.held()
    later = now.together - idle.together
    own, decoders = (now.own - idle.own) / MIB, (now.decoders - idle.decoders) / MIB
    console.print(f"A minute later the bot holds {own:+.0f} MiB and its decoders {decoders:+.0f} MiB.")
    wrong = ["what is left"] if later > MAX_LATER_BYTES else []
    began = asyncio.get_running_loop().time()
    status, seconds = await bot.stop(), asyncio.get_running_loop().time() - began
    console.print(f"The stop took {seconds:.1f} s.")
    return wrong + ["the stop"] * (status != 0 or seconds > MAX_STOP_SECONDS)


async def _meet(
    bot: Victim, file: MadeFile, photos: list[tuple[str, bytes]], idle: Held, console: Console
) -> Seen:
    with console.status(file.name):
        return await bot.meet(file, await made(file), photos, idle)


def _is_wrong(one: Seen) -> bool:
    is_large = one.together > MAX_TOGETHER_BYTES or one.own > MAX_OWN_BYTES
    return not one.as_known or one.innocent > MAX_SECONDS or is_large or not one.are_innocents_taken


def _table(seen: list[Seen]) -> Table:
    table = Table(title="Beside two photos of 12 megapixels")
    for title in ("file", "bytes", "", "after", "photos", "bot", "decoders", "in all"):
        table.add_column(title, justify="left" if title in {"file", ""} else "right")
    for one in seen:
        table.add_row(
            one.name,
            f"{one.size:,}",
            "taken" if one.is_taken else "refused",
            f"{one.seconds:.2f} s",
            f"{one.innocent:.2f} s",
            *(f"{size / MIB:+.0f} MiB" for size in (one.own, one.decoders)),
            f"{one.together / MIB:.0f} MiB",
            style="red" if _is_wrong(one) else "",
        )
    return table


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.ERROR)
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--name", default="", help="send only files whose name contains this")
    options = parser.parse_args()
    named = [file for file in files() if options.name.lower() in file.name.lower()]
    if not named:
        parser.error(f"No file has {options.name} in its name.")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    sys.exit(min(asyncio.run(_run(console, named)), 1))
