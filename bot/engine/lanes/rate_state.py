"""The rate limit of each lane: its requests, its 429s and doubts about its plan, kept over restarts."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot import posts
from bot.aio.shield import shielded
from bot.engine.context import EngineContext
from bot.engine.lane import RateWindow, Slowdown, latest_answers
from bot.engine.lanes.plan_check import ChosenPlan, PlanCheck, PlanDoubt, doubt_details
from bot.jobs import lanes as lane_rows
from bot.jobs.lanes import LaneLimits, Sent
from bot.servers import keys, notices
from bot.servers.notices import NoticeKind
from bot.storage import Transaction
from bot.studii import RateLimited

_log = logging.getLogger(__name__)

ADVANCE_MARGIN_SECONDS = 1.0  # of the seconds for which polls are recorded in advance, for clocks that differ
MAX_POLLS_AHEAD = 8
UNKNOWN_PAUSE_SECONDS = 5.0  # if only an answer can make room
MIN_PAUSE_SECONDS = 0.05


class RateState:
    """The rate limit of one lane. `window` says when there is room for a request.

    `sent` and `limits` are what the database has of the lane.
    """

    def __init__(
        self,
        lane: str,
        plan: ChosenPlan,
        context: EngineContext,
        sent: Iterable[Sent],
        limits: LaneLimits | None,
    ) -> None:
        self.lane = lane
        self.window = RateWindow(plan.limit, context.tuning)
        self._plan_check = PlanCheck(plan)
        self._context = context
        self._polls: deque[float] = deque()  # when the latest were sent
        self._ahead: deque[float] = deque()  # until when polls that were recorded in advance may be sent
        self._restore(sent, limits)
        self.set_plan(plan)

    def excess(self, sent: Iterable[Sent]) -> int:
        """Count those of the key's requests that other processes have sent (`Lanes.beside_others`).

        Return by how many requests that is too much, with those of this process that are about to be sent.
        """
        now = self._context.clock.monotonic()
        by_process: dict[int | None, list[Sent]] = {}
        for one in sent:
            if one.epoch != self._context.member.epoch:
                by_process.setdefault(one.epoch, []).append(one)
        self.window.set_others(moment for some in by_process.values() for moment in self._answers(some))
        return max(0, self.window.used(now) - self.window.usable) if by_process else 0

    def pause(self) -> float:
        """Return the seconds until there may be room again."""
        now = self._context.clock.monotonic()
        free_at = self.window.free_at(now)
        return UNKNOWN_PAUSE_SECONDS if free_at is None else max(free_at - now, MIN_PAUSE_SECONDS)

    def set_plan(self, plan: ChosenPlan) -> None:
        """Take over the plan that admins chose. Less is sent while it is doubted."""
        self._plan_check.set_plan(plan)
        self._apply_plan(self._context.clock.monotonic())

    def wanted_ahead(self) -> int:
        """Return how many polls to record in advance."""
        now = self._context.clock.monotonic()
        self._forget(now)
        left = self.window.usable - self.window.used(now)
        return max(0, min(len(self._polls), MAX_POLLS_AHEAD, left) - len(self._ahead))

    def granted(self) -> None:
        """Note that a poll was recorded in advance."""
        lasts = self._context.tuning.polls_ahead_for - ADVANCE_MARGIN_SECONDS
        self._ahead.append(self._context.clock.monotonic() + lasts)

    def poll_recorded(self) -> bool:
        """Count a poll that is about to be sent. Return whether it was recorded in advance."""
        now = self._context.clock.monotonic()
        self._forget(now)
        self._polls.append(now)
        if not self._ahead:
            return False
        self._ahead.popleft()
        return True

    def _forget(self, now: float) -> None:
        while self._ahead and self._ahead[0] < now:
            self._ahead.popleft()
        while self._polls and self._polls[0] < now - self._context.tuning.polls_ahead_for:
            self._polls.popleft()

    def request(self, at: datetime) -> Sent:
        """Return the row of a request that is about to be sent at `at`."""
        settled = at - timedelta(seconds=self.window.oldest(self._context.clock.monotonic()))
        return Sent(at, settled, self._context.member.epoch)

    async def answered(self, limited: RateLimited | None) -> None:
        """Learn from an answer, a 429 or another. It applies immediately, and is then stored if it has to be
        known after a restart."""
        now = self._context.clock.monotonic()
        used = self.window.used(now)
        doubted: bool | None = None  # if that is news
        if limited is not None:
            _log.warning("Studii answered 429 to lane %s", self.lane[:8])
            if self.window.limited(now, limited.retry_after) and self._plan_check.limited(now, used):
                doubted = True
            self._apply_plan(now)
        elif self._plan_check.sent(now, used):
            doubted = False
        else:
            return
        await shielded(self._save(doubted=doubted))

    async def _save(self, *, doubted: bool | None) -> None:
        """Store what 429s have shown, for the next start. Tell the admins of all servers with this key, once,
        if the plan seems wrong.

        If this fails, it is logged, and what could not be saved is known until the process ends.
        """
        try:
            async with self._context.storage.write() as transaction:
                await self._store(transaction)
                if doubted is not None:
                    await self._tell(transaction, doubted=doubted)
        except Exception as error:  # noqa: BLE001 - logged; all else goes on
            _log.warning("The rate limit learned for lane %s could not be stored: %r", self.lane[:8], error)

    def _apply_plan(self, now: float) -> None:
        self.window.limit = self._plan_check.limit(now)

    def _restore(self, sent: Iterable[Sent], limits: LaneLimits | None) -> None:
        now, at = self._context.clock.monotonic(), self._context.clock.now()
        self.window.restore(self._answers(sent))
        if limits is None:
            return
        if limits.paced_until is not None and limits.paced_until > at:
            blocked, paced = _seconds(at, limits.blocked_until), _seconds(at, limits.paced_until)
            self.window.restore_slowdown(Slowdown(blocked, paced, limits.blocks), now)
        if limits.odd_at is not None:
            doubt = PlanDoubt(
                ChosenPlan(limits.plan, limits.plan_at),
                odd_for=-_seconds(at, limits.odd_at),
                certain=limits.doubted,
                lowered_for=_seconds(at, limits.lowered_until),
                next_lowered=limits.next_lowered,
            )
            self._plan_check.restore(doubt, now)

    def _answers(self, sent: Iterable[Sent]) -> list[float]:
        """Return when requests of another process have been answered at the latest, by the monotonic clock.

        None was recorded after now, even if the wall clock was set back.
        """
        now, at = self._context.clock.monotonic(), self._context.clock.now()
        moments: list[tuple[float, float | None]] = []
        for one in sent:
            settled = None if one.settled is None else now + _seconds(at, one.settled)
            moments.append((now + min(0.0, _seconds(at, one.at)), settled))
        return latest_answers(moments, self._context.tuning.answer_bound)

    async def _store(self, transaction: Transaction) -> None:
        now, at = self._context.clock.monotonic(), self._context.clock.now()
        slowdown, doubt = self.window.slowdown(now), self._plan_check.doubt(now)
        if slowdown is None and doubt is None:
            await transaction.run(lane_rows.forget_limits, self.lane)
            return

        def after(seconds: float) -> datetime:
            return at + timedelta(seconds=seconds)

        plan = self._plan_check.plan
        lowered_for = 0.0 if doubt is None else doubt.lowered_for
        await transaction.run(
            lane_rows.keep_limits,
            self.lane,
            at,
            blocked_until=None if slowdown is None else after(slowdown.blocked),
            paced_until=None if slowdown is None else after(slowdown.paced),
            blocks=0 if slowdown is None else slowdown.blocks,
            plan=plan.limit,
            plan_at=plan.at,
            odd_at=None if doubt is None else after(-doubt.odd_for),
            doubted=doubt is not None and doubt.certain,
            lowered_to=self._plan_check.limit(now) if lowered_for > 0 else None,
            lowered_until=after(lowered_for) if lowered_for > 0 else None,
            next_lowered=0.0 if doubt is None else doubt.next_lowered,
        )

    async def _tell(self, transaction: Transaction, *, doubted: bool) -> None:
        """Add a notice to each server with this key, or forget it if the plan is right after all."""
        now, at = self._context.clock.monotonic(), self._context.clock.now()
        used, lowered = self.window.used(now), self._plan_check.limit(now)
        for key in await transaction.run(keys.stored):
            if key.lane != self.lane:
                continue
            kind = NoticeKind.PLAN_DOUBTED
            if doubted and key.retired_at is None:
                told = doubt_details(key.masked, key.plan, used, lowered)
                await transaction.run(notices.add, key.guild_id, kind, str(key.id), at=at, details=told)
            elif not doubted:
                await transaction.run(posts.forget, key.guild_id, kind)


class RateStates:
    """The rate states of all lanes in use, so that all who send requests with a key share one.

    Each request is recorded before it is sent, within its key's limit, which other processes may use up too.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._states: dict[str, RateState] = {}
        self._users: Counter[str] = Counter()
        self._opening = asyncio.Lock()

    async def open(self, plans: Mapping[str, ChosenPlan]) -> dict[str, RateState]:
        """Return the states of these lanes; call `close` for each. Those not in use are read from the
        database, all in one query, as there may be hundreds after a start."""
        self._users.update(plans.keys())
        try:
            async with self._opening:
                await self._load({lane: plan for lane, plan in plans.items() if lane not in self._states})
                return {lane: self._states[lane] for lane in plans}
        except BaseException:
            for lane in plans:
                self.close(lane)
            raise

    def close(self, lane: str) -> None:
        """Give a state back. It is forgotten when it is unused, as the database has all of it."""
        self._users[lane] -= 1
        if self._users[lane] <= 0:
            del self._users[lane]
            self._states.pop(lane, None)

    async def next_request(self, transaction: Transaction, rate: RateState) -> Sent | None:
        """Return the row of a request that may be sent now, or None if others have used up the lane's limit.

        The caller adds the row in the same transaction (`Lanes.add`), if the request is sent.
        """
        excess = await self.count_excess(transaction, [rate])
        return None if excess[rate.lane] else rate.request(self._context.clock.now())

    async def count_excess(self, transaction: Transaction, rates: Iterable[RateState]) -> dict[str, int]:
        """Return by how many requests each lane exceeds its limit, with those about to be sent.

        Until the transaction ends, no other process counts requests of these lanes. What is sent is recorded
        in the same transaction.
        """
        lanes = {rate.lane: rate for rate in rates}
        since = self._context.clock.now() - self._context.tuning.counted
        others = await transaction.run(lane_rows.beside_others, lanes, since)
        return {lane: rate.excess(others[lane]) for lane, rate in lanes.items()}

    async def record_polls(
        self, transaction: Transaction, sent: Iterable[RateState], ahead: Iterable[RateState]
    ) -> None:
        """Record a poll of each lane in `sent` now, and of each in `ahead` in advance."""
        at = self._context.clock.now()
        later = at + timedelta(seconds=self._context.tuning.polls_ahead_for)
        rows = [(rate.lane, rate.request(at)) for rate in sent]
        rows += [(rate.lane, rate.request(at)._replace(at=later)) for rate in ahead]
        await transaction.run(lane_rows.add, rows)

    async def _load(self, plans: Mapping[str, ChosenPlan]) -> None:
        if not plans:
            return
        since = self._context.clock.now() - self._context.tuning.counted
        async with self._context.storage.read() as transaction:
            sent = await transaction.run(lane_rows.of, plans.keys(), since)
            limits = await transaction.run(lane_rows.limits_of, plans.keys())
        member = self._context.member
        for lane, plan in plans.items():
            # Where there are several processes, those of the others are counted with each step.
            own = [one for one in sent[lane] if member.shards.all or one.epoch == member.epoch]
            self._states[lane] = RateState(lane, plan, self._context, own, limits.get(lane))


def _seconds(now: datetime, moment: datetime | None) -> float:
    return 0.0 if moment is None else (moment - now).total_seconds()
