"""`make crash`: kill -9 at every point of a job's life."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from time import perf_counter

from rich.console import Console
from rich.progress import Progress

from tests.crash.trial import ANSWERING, LATE, NONCES_FORGOTTEN, POSTS, SEED, Trial, Verdict, deaths_at
from tests.crash.world import CrashWorlds, Zygote, worlds, zygote

QUIET_LIVES = 6  # from which the points are found: not each comes up every time
ROUNDS = 2  # so often it is tried to die at a point
CLOSED_EVERY = 20  # every 20th death of a private job meets closed direct messages
THREE_TIMES = 30  # jobs that meet three deaths in a row


class TrialRunner:
    """Makes trials, several at once, each worker with worlds and a process of its own."""

    def __init__(self, workers: Sequence[tuple[CrashWorlds, Zygote]], console: Console) -> None:
        self._workers, self._console = workers, console
        self.trials = self.wrong = 0

    async def perform(self, what: str, trials: Sequence[Trial]) -> list[Verdict]:
        """Make them all, and say how they went; the verdicts are in the order of the trials."""
        began, verdicts, queue = perf_counter(), dict[int, Verdict](), iter(enumerate(trials))
        with Progress(console=self._console, transient=True) as progress:
            bar = progress.add_task(what, total=len(trials))

            async def work(own: CrashWorlds, process: Zygote) -> None:
                for number, trial in queue:
                    verdicts[number] = await trial.make(own, process)
                    progress.advance(bar)

            async with asyncio.TaskGroup() as group:
                for own, process in self._workers:
                    group.create_task(work(own, process))
        made = [verdicts[number] for number in range(len(trials))]
        wrong = [f"{t}: {one}" for t, verdict in zip(trials, made, strict=True) for one in verdict.complaints]
        states = Counter(str(verdict.state) for verdict in made)
        self._console.print(
            f"{what}: {len(made)} trials, {sum(verdict.died for verdict in made)} deaths,"
            f" {perf_counter() - began:.0f} s; {dict(sorted(states.items()))}; {len(wrong)} broken promises",
            soft_wrap=True,
        )
        for line in wrong:
            self._console.print(f"  {line}", markup=False, soft_wrap=True)
        self.trials, self.wrong = self.trials + len(made), self.wrong + len(wrong)
        return made

    async def points(self, kind: Trial) -> Counter[str]:
        """Return what comes up in lives without a death, as often as in the one where it does most often."""
        lives = await self.perform(f"Quiet lives, {kind}", [kind] * QUIET_LIVES)
        return all_points(lives)

    async def kill(self, what: str, trials: Sequence[Trial]) -> None:
        """Make trials with deaths. Some points come up by chance: where nobody died, it is tried again."""
        for _ in range(ROUNDS):
            made = await self.perform(what, trials)
            trials = [trial for trial, one in zip(trials, made, strict=True) if not one.died]
            if not trials:
                return
            what = "… where nobody died, again"
        self._console.print(f"  {len(trials)} of these points did not come up")


def all_points(lives: Iterable[Verdict]) -> Counter[str]:
    """Return what came up in any of them."""
    points: Counter[str] = Counter()
    for life in lives:
        points |= Counter(life.points)
    return points


async def main(console: Console) -> bool:
    """Make all trials; return whether every promise was kept."""
    async with AsyncExitStack() as stack:
        workers = [
            (await stack.enter_async_context(worlds()), stack.enter_context(zygote()))
            for _ in range((os.cpu_count() or 2) + 1)
        ]
        runner = TrialRunner(workers, console)
        await asyncio.gather(*(Trial().make(own, process) for own, process in workers))  # loads what it needs
        for kind in (Trial(), Trial(private=True)):
            points = await runner.points(kind)
            deaths = kind.killed(points)
            await runner.kill("Killed at every point", deaths)
            if kind.private:
                closed = [replace(one, closed_dms=True) for one in deaths[::CLOSED_EVERY]]
                await runner.kill("… and nobody takes direct messages", closed)
            else:
                forgotten = Trial(later=NONCES_FORGOTTEN).killed(points, *POSTS)
                await runner.kill("… while it posts, and Discord has forgotten the nonce", forgotten)
                blind = Trial(blind=True).killed(points, *POSTS)
                await runner.kill("… while it posts, and may not look for what it posted", blind)
            three = random.Random(SEED).sample(deaths_at(points), 3 * THREE_TIMES)
            times = [replace(kind, deaths=three[n::THREE_TIMES], threads=True) for n in range(THREE_TIMES)]
            await runner.perform("… three times", times)
            cancelled = replace(kind, cancelled=True)
            points = await runner.points(cancelled)
            await runner.kill("… while it is cancelled", cancelled.killed(points, "progress.cancel"))
            late = replace(kind, slow=True)
            deaths = late.killed(await runner.points(late), *LATE)
            made = await runner.perform("… between a deferral and its answer", deaths)
            again = {
                death: trial
                for one, left in zip(deaths, made, strict=True)
                for trial in one.killed(left.points)
                if ANSWERING in (death := trial.deaths[-1]).point
            }
            await runner.kill("… and again while the next life answers", list(again.values()))
        console.print(f"{runner.trials} trials; {runner.wrong} broken promises")
        return not runner.wrong


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(Console())) else 1)
