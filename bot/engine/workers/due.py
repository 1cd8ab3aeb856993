"""Work on the jobs whose turn it is: their rows say since when it is due, and how often it was tried."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from bot.aio.bounded import BoundedDict
from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog
from bot.aio.shield import DrainingGroup, shielded
from bot.engine.context import EngineContext
from bot.errors import Outage
from bot.jobs import transitions
from bot.jobs.models import Job

UNEXPECTED_TRIES = 8  # some two minutes
LOOK_AGAIN = 15.0  # seconds; nothing reports the end of what something due waits for
MAX_TURNS = 10_000  # groups and members whose last turn is known
_T = TypeVar("_T")
Due = Callable[[Session, datetime, int], tuple[list[Job], datetime | None]]
"""Returns the jobs that are due, those first whose turn it is, and when the next one is; at most a number."""
Who = tuple[Hashable, Hashable]
"""A group, and a member of it."""


class FairShare:
    """Groups take turns, however many items each has, and so do the members of each. Pure.

    A group alone gets half of the workers, a second one half of the rest, and so on: a new group nearly
    always finds one that is free. A member gets half of what the group has left, for the same reason.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._busy: Counter[Hashable] = Counter()  # of groups and of members
        self._last = BoundedDict[Hashable, int](MAX_TURNS)  # group or member -> number of the last turn
        self._turn = itertools.count(1)

    def may_begin(self, who: Who) -> bool:
        """Return whether a worker may begin an item of the member now."""
        free = self._workers - self._busy.total() // 2
        left = max(1, free) - self._busy[who[0]]  # for the group
        return free > 0 and left > 0 and self._busy[who] < max(1, left // 2)

    def began(self, who: Who) -> None:
        self._busy.update((who[0], who))
        self._last[who[0]] = self._last[who] = next(self._turn)

    def ended(self, who: Who) -> None:
        self._busy.subtract((who[0], who))
        self._busy = +self._busy  # without those that have none

    def in_turn(self, items: Iterable[_T], who_of: Callable[[_T], Who]) -> list[_T]:
        """Return the items in the order in which to try them.

        The first of each group comes before the second of any; of these, whose group's last turn is longest
        ago goes first. The items of one group are in order by the same rule for its members.
        """
        groups: dict[Hashable, dict[Hashable, list[_T]]] = {}  # and their members
        for item in items:
            who = who_of(item)
            groups.setdefault(who[0], {}).setdefault(who, []).append(item)
        return self._one_of_each({group: self._one_of_each(own) for group, own in groups.items()})

    def _one_of_each(self, lines: Mapping[Hashable, Sequence[_T]]) -> list[_T]:
        """Return the first item of each line, by turn, then the second of each, and so on."""
        by_turn = [lines[one] for one in sorted(lines, key=lambda one: self._last.get(one, 0))]
        places = [(place, number) for number, line in enumerate(by_turn) for place in range(len(line))]
        return [by_turn[number][place] for place, number in sorted(places)]


class DueJobs:
    """Works on jobs that are due, several at once. Servers and their members take turns.

    `work` changes the job so that it is not due any more, or returns in how many seconds to try it again; 0.0
    if the row says that. One that meets unexpected errors again and again is left to `give_up`. It is found
    again after a restart: work that is under way ends at once when this is cancelled.
    """

    def __init__(
        self,
        context: EngineContext,
        what: str,
        due: Due,
        work: Callable[[Job], Awaitable[float | None]],
        give_up: Callable[[Job], Awaitable[None]],
        size: int,
    ) -> None:
        self._context, self.what, self._size = context, what, size
        self._due, self._work, self._give_up = due, work, give_up
        self._turns, self._busy = FairShare(size), set[str]()
        self._waits = False  # whether some that are due wait for others to end
        self._wake_up = WakeUp()
        self._errors = ErrorLog(what, noun="job")

    async def run(self) -> None:
        """Run until cancelled."""
        async with DrainingGroup(self._context.tuning.drain) as group:
            await run_forever(self.what, self._wake_up, lambda: self._turn(group))

    def wake(self) -> None:
        """Look for what is due now."""
        self._wake_up.set()

    async def _turn(self, group: DrainingGroup) -> float:
        """Begin what is due and may begin. Return in how many seconds to look again."""
        clock, longest = self._context.clock, self._context.tuning.reread_every
        began = clock.monotonic()
        self._waits = len(self._busy) >= self._size
        if self._waits:
            return longest
        with self._context.liveness.operation(self.what, progress=False):
            # Those at work, of as many servers as there are workers, hide none that may begin.
            asked = (clock.now(), 3 * self._size)
            found, next_due = await self._context.db.read(self._due, *asked)
        for job in self._turns.in_turn(found, _who):
            if job.id in self._busy:
                continue
            if not self._turns.may_begin(_who(job)):
                self._waits = True
                continue
            self._busy.add(job.id)
            self._turns.began(_who(job))
            group.create_task(self._do(job), name=f"{self.what} {job.id}", at_once=True)
        self._waits |= len(found) >= 3 * self._size
        await rest_after(clock.monotonic() - began, longest)
        if next_due is None:
            return longest
        rest = (next_due - clock.now()).total_seconds()
        return min(longest, rest if rest > 0 else LOOK_AGAIN)

    async def _do(self, job: Job) -> None:
        wakes = True
        try:
            with self._context.liveness.operation(f"{self.what} (job {job.id})", TRANSFER_TIMEOUT) as ending:
                try:
                    again = await (self._give_up if job.tries >= UNEXPECTED_TRIES else self._work)(job)
                    self._errors.succeeded(job.id)
                except Exception as error:  # noqa: BLE001 - logged; the others must not notice
                    ending.failed, again = True, self._errors.failed(error, job.id)
                    if isinstance(error, Outage):  # which says nothing against the job, and stores nothing
                        await asyncio.sleep(again)
                        return
            wakes = again is not None or self._waits
            if again:
                until = self._context.clock.now() + timedelta(seconds=again)
                await shielded(self._context.db.write(transitions.later, job.id, until))
        finally:
            self._busy.discard(job.id)
            self._turns.ended(_who(job))
            if wakes:
                self._wake_up.set()


def _who(job: Job) -> Who:
    return job.guild_id, job.user_id
