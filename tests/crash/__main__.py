"""`make crash`: kill -9 at every point of a job's life, and under everything that may go wrong on the way.

`python -m tests.crash approvals` makes a part of the trials: those of each name that is given.
"""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter, process_time
from typing import Protocol

from rich.console import Console
from rich.progress import Progress

from tests.crash.approvals import Deaths, killed_hurriedly, quiet_trials
from tests.crash.plan import (
    DEFERRED,
    EVERY,
    NONCES_FORGOTTEN,
    Trial,
    all_points,
    killed_before_a_closed_door,
    killed_before_a_late_answer,
    killed_once,
    killed_privately,
    killed_three_times,
    killed_under_trouble,
    killed_while_answering_late,
    killed_while_blind,
    killed_while_cancelling,
    killed_while_posting,
    private_troubles,
    troubles,
)
from tests.crash.sets import UNNOTED, SetTrial, set_trials
from tests.crash.stars import StarTrial, star_deaths
from tests.crash.trial import Verdict, attempt
from tests.crash.world import CrashWorlds, Zygote, worlds, zygote

QUIET_LIVES = 6  # from which the points are found: not each comes up every time
ROUNDS = 2  # so often it is tried to die at a point


class Tried(Protocol):
    """A trial of any kind."""

    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        ...


@dataclass
class Totals:
    """What came of all trials so far."""

    trials: int = 0
    wrong: list[str] = field(default_factory=list[str])


class TrialRunner:
    """Makes trials, several at once, each worker with worlds and a process of its own; says what came of
    them."""

    def __init__(self, workers: Sequence[tuple[CrashWorlds, Zygote]], console: Console) -> None:
        self._workers = workers
        self._console = console
        self.totals = Totals()

    def say(self, words: str) -> None:
        """Show a line."""
        self._console.print(words, soft_wrap=True)

    def processor(self) -> float:
        """Seconds that this process and those of the lives have used of it."""
        return process_time() + sum(process.processor for _, process in self._workers)

    async def perform(self, what: str, trials: Sequence[Tried]) -> list[Verdict]:
        """Make them all; the verdicts are in the order of the trials."""
        began, used = perf_counter(), self.processor()
        verdicts: dict[int, Verdict] = {}
        queue = iter(enumerate(trials))
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
        self._report(what, trials, made, perf_counter() - began, self.processor() - used)
        return made

    async def kill(self, what: str, trials: Sequence[Tried]) -> None:
        """Make trials with deaths. Some points come up by chance: where nobody died, it is tried again."""
        for _ in range(ROUNDS):
            made = await self.perform(what, trials)
            trials = [trial for trial, one in zip(trials, made, strict=True) if not one.died]
            if not trials:
                return
            what = "… where nobody died, again"
        self._console.print(f"  {len(trials)} of these points did not come up")

    def _report(
        self, what: str, trials: Sequence[Tried], made: Sequence[Verdict], seconds: float, used: float
    ) -> None:
        wrong = [
            f"{trial}: {complaint}"
            for trial, verdict in zip(trials, made, strict=True)
            for complaint in verdict.complaints
        ]
        states = Counter(str(verdict.state) for verdict in made)
        died = sum(verdict.died for verdict in made)
        self._console.print(
            f"{what}: {len(made)} trials, {died} deaths, {seconds:.0f} s ({used:.0f} s of processor);"
            f" {', '.join(f'{count} {state}' for state, count in sorted(states.items()))};"
            f" {len(wrong)} broken promises",
            soft_wrap=True,
        )
        for line in wrong:
            self._console.print(f"  {line}", markup=False, soft_wrap=True)
        self.totals.trials += len(made)
        self.totals.wrong += wrong


async def main(console: Console, names: Sequence[str] = ()) -> bool:
    began = perf_counter()
    async with AsyncExitStack() as stack:
        workers = [
            (await stack.enter_async_context(worlds()), stack.enter_context(zygote()))
            for _ in range((os.cpu_count() or 2) + 1)
        ]
        runner = TrialRunner(workers, console)
        await asyncio.gather(*(attempt(own, process) for own, process in workers))  # loads what it needs
        for name in names or PARTS:
            await PARTS[name](runner)
        console.print(
            f"{runner.totals.trials} trials in {perf_counter() - began:.0f} s ({runner.processor():.0f} s of"
            f" processor on {os.cpu_count()} cores); {len(runner.totals.wrong)} broken promises"
        )
        return not runner.totals.wrong


async def _publicly(runner: TrialRunner) -> None:
    """Jobs whose result everybody sees."""
    quiet = await runner.perform("Quiet lives", [Trial()] * QUIET_LIVES)
    points = all_points(verdict.points for verdict in quiet)
    once = killed_once(points)
    runner.say(f"  {len(points)} points at which a job waits or goes on; {len(once)} deaths to try")
    await runner.kill("Killed at every point", once)
    await runner.kill("… while it posts, and Discord has forgotten the nonce", killed_while_posting(points))
    await runner.kill("… while it posts, and may not look for what it posted", killed_while_blind(points))
    await runner.perform("Killed three times", killed_three_times(points))
    cancelled = await runner.perform("Cancelled", [Trial(cancelled=True)] * QUIET_LIVES)
    cancelling = killed_while_cancelling(all_points(verdict.points for verdict in cancelled))
    await runner.kill("… and killed meanwhile", cancelling)
    alone = await runner.perform("Trouble on the way to Studii and to Discord", troubles())
    met = [(trial.trouble, one.points) for trial, one in zip(troubles(), alone, strict=True)]
    under = killed_under_trouble(points, [(trouble, seen) for trouble, seen in met if trouble])
    runner.say(
        f"  {under.possible} deaths are possible under troubles; {len(under.trials)} are tried: at all"
        f" {under.unheard} points that no quiet life has, once each, and at one in {EVERY} of the others,"
        " beginning at another one under each trouble"
    )
    await runner.kill("… and killed", under.trials)


async def _sets(runner: TrialRunner) -> None:
    """A set: while its messages are made up, sent and noted, and while the first results wait."""
    calm = [SetTrial(waits=waits) for waits in (False, True)] * 3
    lives = await runner.perform("Quiet lives of sets", calm)
    seen = [(trial, life.points) for trial, life in zip(calm, lives, strict=True)]
    await runner.kill("Sets, and killed while they are posted", set_trials(seen, waits=True))
    forgotten = [replace(one, later=NONCES_FORGOTTEN) for one in set_trials(seen, waits=False)]
    await runner.kill("… and Discord has forgotten the nonces", forgotten)
    blind = [replace(one, blind=True) for one in set_trials(seen, waits=False, parts=UNNOTED)]
    await runner.kill("… and may not look for what they posted", blind)


async def _late(runner: TrialRunner) -> None:
    """The same while the database is slow: the answer is announced, and comes later."""
    for kind in DEFERRED:
        quiet = await runner.perform(f"{kind}", [kind] * QUIET_LIVES)
        deaths = killed_before_a_late_answer(all_points(verdict.points for verdict in quiet), kind)
        made = await runner.perform("… and killed between the deferral and the answer", deaths)
        again = killed_while_answering_late(deaths, [verdict.points for verdict in made])
        await runner.kill("… and killed again while the next life answers", again)


async def _privately(runner: TrialRunner) -> None:
    """The same with jobs whose result is for their person alone."""
    quiet = await runner.perform("Private quiet lives", [Trial(private=True)] * QUIET_LIVES)
    points = all_points(verdict.points for verdict in quiet)
    await runner.kill("Private, and killed at every point", killed_privately(points))
    await runner.kill("… and nobody takes direct messages", killed_before_a_closed_door(points))
    cancels = [Trial(cancelled=True, private=True)] * QUIET_LIVES
    cancelled = await runner.perform("Private, and cancelled", cancels)
    cancelling = all_points(verdict.points for verdict in cancelled)
    await runner.kill("… and killed meanwhile", killed_while_cancelling(cancelling, private=True))
    trials = private_troubles()
    alone = await runner.perform("Private, with trouble on the way to Discord", trials)
    met = [(trial.trouble, one.points) for trial, one in zip(trials, alone, strict=True)]
    under = killed_under_trouble(points, [(one, seen) for one, seen in met if one], private=True)
    await runner.kill("… and killed", under.trials)


async def _approvals(runner: TrialRunner) -> None:
    """Jobs on which moderators decide, before they are sent and before their results are posted."""
    ordinary = await runner.perform("Quiet lives", [Trial()] * QUIET_LIVES)
    deaths = Deaths(all_points(verdict.points for verdict in ordinary))
    scenes = quiet_trials()
    quiet = await runner.perform("Moderators decide", scenes)
    killed = [deaths.of(trial, one.points) for trial, one in zip(scenes, quiet, strict=True)]
    for trial, trials in zip(scenes, killed, strict=True):
        await runner.kill(f"… {trial.part}, and killed meanwhile", trials)
    hurried = killed_hurriedly(trial for trials in killed for trial in trials)
    await runner.kill("… killed while they are asked, and they decide at once", hurried)


async def _stars(runner: TrialRunner) -> None:
    """A starred result: while it is shown among the best, and while it is taken back."""
    for back in (False, True):
        lives = await runner.perform("Quiet lives of stars", [StarTrial(back=back)] * QUIET_LIVES)
        deaths = star_deaths(all_points(verdict.points for verdict in lives))
        await runner.kill("… and killed meanwhile", [StarTrial([one], back=back) for one in deaths])
        forgotten = [StarTrial([one], back=back, later=NONCES_FORGOTTEN) for one in deaths]
        await runner.kill("… and Discord has forgotten the nonce", forgotten)


PARTS: Mapping[str, Callable[[TrialRunner], Awaitable[None]]] = {
    "public": _publicly,
    "sets": _sets,
    "stars": _stars,
    "late": _late,
    "private": _privately,
    "approvals": _approvals,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"make the trials of these parts alone: {', '.join(PARTS)}")
    wanted = parser.parse_args().part
    if unknown := [name for name in wanted if name not in PARTS]:
        parser.error(f"There is no part called {', '.join(unknown)}. The parts: {', '.join(PARTS)}.")
    sys.exit(0 if asyncio.run(main(Console(), wanted)) else 1)
