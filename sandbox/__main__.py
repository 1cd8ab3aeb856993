"""`python -m sandbox`: the demo. A tour in the terminal, then the bot in a browser page."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from bot.client.bot import quiet_discord_loggers
from bot.errors import StudiiBotError
from bot.monitoring.logging import configure_logging
from sandbox.discord.browser import BrowserError
from sandbox.discord.page import Page
from sandbox.photos import sample_photos
from sandbox.pictures import save_files, save_screenshots
from sandbox.stage import Stage, open_stage
from sandbox.studii import StudiiServer
from sandbox.tour import Tour, run_tour

OUTPUT = Path("demo-output")


class Demo:
    """The demo in one folder, which is gone afterwards."""

    def __init__(self, folder: Path, console: Console, *, once: bool, port: int) -> None:
        self._folder = folder
        self._console = console
        self._once = once
        self._port = port

    async def run(self) -> bool:
        """Give the tour, then save what was made or keep the page open. Returns whether all went well."""
        self._console.print(
            "[bold]Studii for Discord[/], with a simulated Studii and Discord on this machine.\n"
        )
        photos = await asyncio.to_thread(sample_photos)
        await asyncio.to_thread(save_files, photos, self._folder / "photos")
        async with StudiiServer() as studii, open_stage(studii, self._folder, photos) as stage:
            world = stage.world
            async with Page(
                world.env, world.channel, world.people, stage.clock, world.turn, port=self._port
            ) as page:
                tour = Tour(stage, photos)
                if not await run_tour(tour, self._console):
                    return False
                if self._once:
                    return await self._save(tour, page)
                return await self._stay_open(stage, page)

    async def _save(self, tour: Tour, page: Page) -> bool:
        await asyncio.to_thread(save_files, tour.outputs, OUTPUT)
        try:
            seen = await save_screenshots(page, self._folder / "photos" / "empty-room.jpg", OUTPUT)
        except BrowserError as error:
            self._console.print(f"[red]✘[/] The page failed in the browser: {escape(str(error))}")
            return False
        without = "" if seen else " Chromium wasn't found, so there are no pictures of the page."
        self._console.print(f"\nThe results are in [bold]{OUTPUT}/[/].{without}")
        return True

    async def _stay_open(self, stage: Stage, page: Page) -> bool:
        self._console.print(
            f"\nYour turn: [bold]{page.url}[/]\n"
            "Type [bold]/virtual-staging[/], attach a photo and watch: the card changes, and the result\n"
            f"arrives. Photos to try are in {self._folder / 'photos'}/.\n"
            "You are Maya. Choose Nora at the top to try [bold]/studii budget[/]. Press Ctrl-C to stop.",
            highlight=False,
            soft_wrap=True,
        )
        closed = asyncio.create_task(page.wait_closed())
        try:
            await asyncio.wait({closed, stage.engine}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        return closed.done()


async def run_demo(console: Console, *, once: bool, port: int) -> bool:
    """Run the demo until it has ended or somebody ends it. Returns whether all went well."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="studii-demo-") as folder:
        demo = asyncio.create_task(Demo(Path(folder), console, once=once, port=port).run())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({demo, stopped}, return_when=asyncio.FIRST_COMPLETED)
        ended_early = not demo.done()
        demo.cancel()
        stopped.cancel()
        (outcome, _) = await asyncio.gather(demo, stopped, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome is True or (ended_early and not once)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the tour and save what was made")
    parser.add_argument(
        "--port", type=int, default=0, help="the page's port on 127.0.0.1 (default: a free one)"
    )
    arguments = parser.parse_args()
    configure_logging("WARNING", "text")
    quiet_discord_loggers()
    console = Console()
    try:
        went_well = asyncio.run(run_demo(console, once=arguments.once, port=arguments.port))
    except StudiiBotError as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
