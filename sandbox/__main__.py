"""`python -m sandbox`: the demo. A tour in the terminal, then the bot in a browser page."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bot.client import quiet_discord_loggers
from bot.errors import StudiiBotError
from bot.logs import configure_logging
from sandbox.discord.page import Page
from sandbox.photos import sample_photos
from sandbox.pictures import save_outputs, save_screenshots
from sandbox.stage import Stage, open_stage
from sandbox.studii import StudiiServer
from sandbox.tour import Tour, run_tour

OUTPUT = Path("demo-output")


async def demo(console: Console, *, once: bool, port: int) -> bool:
    """Give the tour, then keep the page open until Ctrl-C, or save what was made; whether all went well."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop.set)
    console.print(
        "[bold]Studii for Discord[/]: the real bot, between a Studii and a Discord on this machine."
    )
    photos = await asyncio.to_thread(sample_photos)
    with TemporaryDirectory(prefix="studii-demo-") as folder:
        async with StudiiServer() as studii, open_stage(studii, Path(folder), photos) as stage:
            show = asyncio.create_task(
                _show(stage, Tour(stage, photos), console, once=once, port=port, stop=stop)
            )
            stopped = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({show, stopped, stage.engine}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                show.cancel()
                stopped.cancel()
                (outcome, _) = await asyncio.gather(show, stopped, return_exceptions=True)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome is True or (stop.is_set() and not once)


async def _show(
    stage: Stage, tour: Tour, console: Console, *, once: bool, port: int, stop: asyncio.Event
) -> bool:
    world = stage.world
    async with Page(world.env, world.channel, world.people, stage.clock, world.turn, port=port) as page:
        if not await run_tour(tour, console):
            return False
        if once:
            save_outputs(tour.outputs, OUTPUT)
            shots = await save_screenshots(page, OUTPUT)
            console.print(
                f"What was made is in [bold]{OUTPUT}/[/]{'' if shots else ' (no Chromium here, so no screenshots)'}."
            )
            return True
        console.print(
            f"\nYour turn: [bold]{page.url}[/]\n"
            "Type [bold]/virtual-staging[/], attach a photo and watch the card; the result comes by itself.\n"
            "You are Maya; choose Nora to try [bold]/studii budget[/]. Ctrl-C ends it.",
            highlight=False,
            soft_wrap=True,
        )
        closed = asyncio.create_task(page.wait_closed())
        try:
            await asyncio.wait(
                {closed, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            closed.cancel()
        return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the tour and save what was made")
    parser.add_argument(
        "--port", type=int, default=0, help="the page's port on 127.0.0.1 (default: any free one)"
    )
    arguments = parser.parse_args()
    configure_logging("WARNING", "text")
    quiet_discord_loggers()
    console = Console()
    try:
        went_well = asyncio.run(demo(console, once=arguments.once, port=arguments.port))
    except StudiiBotError as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
