"""`make crash`: kill -9 at every point of a job's life, and under everything that may go wrong on the way."""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress

from bot.model import JobState
from tests.crash.trial import TROUBLES, Death, Trouble, Verdict, attempt, deaths_of, is_posting
from tests.crash.world import Worlds, Zygote, worlds, zygote

SEED = 6
NONCES_FORGOTTEN = 900.0  # seconds
UNDER_TROUBLE = 2  # deaths tried under each trouble
THREE_TIMES = 30  # jobs that meet three deaths in a row


@dataclass
class Tally:
    """What came of a kind of trials."""

    trials: int = 0
    deaths: int = 0
    states: Counter[JobState] = field(default_factory=Counter[JobState])
    wrong: list[str] = field(default_factory=list[str])

    def add(self, what: str, verdict: Verdict) -> None:
        self.trials += 1
        self.deaths += verdict.died
        self.states[verdict.state] += 1
        self.wrong += [f"{what}: {complaint}" for complaint in verdict.complaints]


Trial = Callable[[Worlds, Zygote], Awaitable[tuple[str, Verdict]]]


async def perform(trials: list[Trial], advance: Callable[[], None]) -> Tally:
    """All of them, several at once, each worker with worlds of its own."""
    tally = Tally()
    queue = iter(trials)

    async def work(own: Worlds, process: Zygote) -> None:
        for trial in queue:
            tally.add(*await trial(own, process))
            advance()

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for _ in range((os.cpu_count() or 2) + 1):
            own = await stack.enter_async_context(worlds())
            group.create_task(work(own, await stack.enter_async_context(zygote())))
    return tally


def killed(*deaths: Death, trouble: Trouble | None = None, later: float = 0.0) -> Trial:
    async def trial(own: Worlds, process: Zygote) -> tuple[str, Verdict]:
        names = " | ".join(f"{death.point} (time {death.nth})" for death in deaths)
        name = names if trouble is None else f"[{trouble.endpoint}: {trouble.name}] {names or 'no death'}"
        return name, await attempt(own, process, deaths, trouble=trouble, later=later)

    return trial


def under(trouble: Trouble, seed: int) -> Trial:
    """The trouble alone, then deaths at points that came up under it."""

    async def trial(own: Worlds, process: Zygote) -> tuple[str, Verdict]:
        alone = await attempt(own, process, trouble=trouble)
        complaints, died = list(alone.complaints), 0
        name = f"[{trouble.endpoint}: {trouble.name}]"
        possible = deaths_of(alone.points)
        for death in random.Random(seed).sample(possible, min(UNDER_TROUBLE, len(possible))):
            verdict = await attempt(own, process, [death], trouble=trouble)
            died += verdict.died
            complaints += [f"{death.point} (time {death.nth}): {one}" for one in verdict.complaints]
        return name, Verdict(alone.state, died, complaints, {})

    return trial


async def main(console: Console) -> bool:
    began = time.perf_counter()
    async with worlds() as own, zygote() as process:
        seen = [await attempt(own, process) for _ in range(3)]
    points: Counter[str] = Counter()
    for verdict in seen:
        points |= Counter(verdict.points)
    deaths = deaths_of(points)
    rng = random.Random(SEED)
    kinds: dict[str, list[Trial]] = {
        "kill -9 at every point": [killed(death) for death in deaths],
        "… and Discord has forgotten the nonce": [
            killed(death, later=NONCES_FORGOTTEN) for death in deaths if is_posting(death)
        ],
        "killed three times": [killed(*rng.sample(deaths, 3)) for _ in range(THREE_TIMES)],
        "trouble on the way to Studii": [
            under(trouble, SEED + number) for number, trouble in enumerate(TROUBLES)
        ],
    }
    console.print(f"{len(points)} points at which a job's life waits or goes on; {len(deaths)} deaths to try")
    went_well = all(not verdict.complaints for verdict in seen)
    with Progress(console=console, transient=True) as progress:
        for kind, trials in kinds.items():
            bar = progress.add_task(kind, total=len(trials))
            tally = await perform(trials, lambda bar=bar: progress.advance(bar))
            states = ", ".join(f"{count} {state}" for state, count in sorted(tally.states.items()))
            console.print(
                f"{kind}: {tally.trials} jobs, {tally.deaths} deaths; {states};"
                f" {len(tally.wrong)} broken promises"
            )
            for line in tally.wrong:
                console.print(f"  {line}", markup=False, soft_wrap=True)
            went_well = went_well and not tally.wrong
    console.print(f"{time.perf_counter() - began:.0f} s")
    return went_well


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(Console())) else 1)
