"""`make hostile`: files that were built to hold up or fill up whoever opens them, through the whole bot."""

import asyncio
import logging
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.held import MIB, held
from tests.hostile.bot import Seen, Victim, innocents, victim
from tests.hostile.files import HostileFile, files, flat_png

MOST_SECONDS = 3.0  # for a refusal, and for an innocent photo of 12 megapixels
MOST_TOGETHER = 750 * MIB
MOST_OWN = 40 * MIB  # the simulated Discord and Studii are in the same process, and draw pictures in it
MOST_LATER = 50 * MIB
LATER = 60.0
WIDTH = 140  # columns of the table where there is no terminal
COLUMNS = (
    "after: from the card until the file was taken or refused. photos: the same for the slower innocent one. "
    "bot: the most that this process held more than before; the simulated Discord and Studii are in it. "
    "decoders: the most that they held together. in all: the most of both at one moment."
)
QUIET = HostileFile("a blank picture", "png", partial(flat_png, 64))


async def _run(console: Console) -> int:
    wanted = [file for file in files() if not sys.argv[1:] or sys.argv[1].lower() in file.name.lower()]
    photos = await asyncio.to_thread(innocents, 4000, 3000)
    with tempfile.TemporaryDirectory() as folder:
        async with victim(Path(folder)) as bot:
            # What is loaded when it is first used is not the files' doing.
            await _met(bot, QUIET, photos, console)
            quiet = await _met(bot, QUIET, photos, console)
            before = held()
            seen = [await _met(bot, file, photos, console) for file in wanted]
            console.print(_table(seen))
            console.print(COLUMNS)
            console.print(f"Beside a blank picture the slower photo took {quiet.innocent:.2f} s.")
            console.print(f"What the decoders keep is looked at in {LATER:.0f} s …")
            await asyncio.sleep(LATER)
            later = held().decoders - before.decoders
    console.print(f"A minute later they hold {later / MIB:+.0f} MiB.")
    wrong = [one.name for one in seen if _is_wrong(one)] + (["what is left"] if later > MOST_LATER else [])
    if wrong:
        console.print("[red]Beyond its bounds: " + "; ".join(wrong))
    return len(wrong)


async def _met(bot: Victim, file: HostileFile, photos: list[tuple[str, bytes]], console: Console) -> Seen:
    with console.status(file.name):
        # In a process of its own: some take gigabytes to make, which would not be the bot's.
        with ProcessPoolExecutor(1, get_context("spawn")) as maker:
            data = await asyncio.get_running_loop().run_in_executor(maker, file.make)
        seen = await bot.meet(file, data, photos)
        await bot.rest()
        return seen


def _is_wrong(one: Seen) -> bool:
    is_late = one.innocent > MOST_SECONDS or (not one.is_taken and one.seconds > MOST_SECONDS)
    return is_late or one.together > MOST_TOGETHER or one.own > MOST_OWN + 4 * one.size


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
            *(f"+{size / MIB:.0f} MiB" for size in (one.own, one.decoders, one.together)),
            style="red" if _is_wrong(one) else "",
        )
    return table


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.basicConfig(level=logging.ERROR)
    sys.exit(min(asyncio.run(_run(Console(width=None if sys.stdout.isatty() else WIDTH))), 1))
