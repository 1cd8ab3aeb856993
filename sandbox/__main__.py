"""`python -m sandbox`: the demo. The bot in a browser page, with a tour that plays beside it."""

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from sandbox.demo.bot import BotEndedError
from sandbox.demo.pictures import save_files, save_screenshots
from sandbox.demo.site import TourShown
from sandbox.demo.tour import Tour
from sandbox.demo.world import DemoWorld, open_world
from sandbox.discord.browser import BrowserError

OUTPUT = Path("demo-output")


class Demo:
    """Shows how the tour goes, on the page and in the terminal."""

    def __init__(self, world: DemoWorld, console: Console) -> None:
        self._world = world
        self._console = console

    async def play(self) -> None:
        """Play a tour of its own."""
        await self.take(self._world.tour())

    async def take(self, tour: Tour) -> bool:
        """Take the tour. Returns whether all went well."""
        site, total = self._world.site, len(tour.steps)
        number = 0
        try:
            async for title, taken in tour.take():
                number += taken is None
                detail, failed = ("", False) if taken is None else (taken.detail, taken.failed)
                site.show(TourShown(total, number, title, detail, failed=failed, running=True))
                if taken is not None:
                    mark = "[red]✘[/]" if failed else "[green]✔[/]"
                    words = f"{mark} {escape(title)}\n  [dim]{escape(detail)}[/]"
                    self._console.print(words, highlight=False)
                if failed:
                    return False
            return True
        finally:
            site.show(replace(site.tour, running=False))

    async def save(self, tour: Tour) -> bool:
        """Save what the tour made, and pictures of the page."""
        await asyncio.to_thread(save_files, tour.outputs, OUTPUT)
        try:
            seen = await save_screenshots(self._world, OUTPUT)
        except BrowserError as error:
            self._console.print(f"[red]✘[/] The page failed in the browser: {escape(str(error))}")
            return False
        without = "" if seen else " Chromium wasn't found, so there are no pictures of the page."
        self._console.print(f"\nThe results are in [bold]{OUTPUT}/[/].{without}")
        return True


async def run(console: Console, *, once: bool, tour: bool, port: int) -> bool:
    """Run the demo until the bot ends. Returns whether all went well."""
    with TemporaryDirectory(prefix="studii-demo-") as folder:
        async with open_world(Path(folder), port=port) as world:
            console.print(
                "[bold]Studii for Discord[/], with a simulated Discord and Studii on this machine:\n"
                f"[bold]{world.site.url}[/]",
                highlight=False,
                soft_wrap=True,
            )
            demo = Demo(world, console)
            await world.prepare()
            if once:
                taken = world.tour()
                return await demo.take(taken) and await demo.save(taken)
            world.site.offer_tour(demo.play)
            console.print("Open it in a browser. Press Ctrl-C to stop.")
            if tour:
                await demo.play()
            await asyncio.wait({world.bot})  # not awaited itself, as it would be cancelled with this
            console.print("[red]✘[/] The bot has ended.")
            return False


async def until_stopped(console: Console, *, once: bool, tour: bool, port: int) -> bool:
    """Run the demo until it has ended or somebody ends it. Returns whether all went well."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop.set)
    demo = asyncio.create_task(run(console, once=once, tour=tour, port=port))
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
    """Read the arguments, run the demo, and return the process's exit status."""
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play the tour, save what was made, and stop")
    parser.add_argument("--tour", action="store_true", help="play the tour at once")
    parser.add_argument(
        "--port", type=int, default=0, help="the page's port on 127.0.0.1 (default: a free one)"
    )
    given = parser.parse_args()
    console = Console()
    try:
        well = asyncio.run(until_stopped(console, once=given.once, tour=given.tour, port=given.port))
    except (BotEndedError, OSError) as error:
        console.print(f"[red]✘[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
