"""What one key allows: its requests, how 429s slow it down and cast doubt on its plan; kept over restarts."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from bot.domain import NoticeKind
from bot.engine.context import EngineContext, StepResult
from bot.engine.scheduler.plan_check import Allowance, Chosen, Doubt, doubt_details
from bot.engine.scheduler.rate_limit import Earlier, RateWindow, Slowed
from bot.storage import LaneLimits, Sent, Transaction

_log = logging.getLogger(__name__)


class Memory(NamedTuple):
    """What earlier lives left of a lane."""

    requests: Sequence[Earlier] = ()
    slowed: Slowed | None = None
    doubt: Doubt | None = None


class News(Enum):
    """What an answer has changed, to be kept."""

    LIMITED = auto()  # a 429
    DOUBTED = auto()  # and the plan seems to be another, which the admins do not know
    BELIEVED = auto()  # the plan, which was doubted, is right


class Limits:
    """Of one lane. `rate` says when there is room."""

    def __init__(self, lane: str, plan: Chosen, memory: Memory, context: EngineContext) -> None:
        self._lane = lane
        self._context = context
        self._allowance = Allowance(plan)
        self.rate = RateWindow(plan.limit, context.tuning)
        now = context.clock.monotonic()
        self.rate.restore(memory.requests, now)
        if memory.slowed is not None:
            self.rate.slow(memory.slowed, now)
        if memory.doubt is not None:
            self._allowance.restore(memory.doubt, now)
        self.set_plan(plan)

    def set_plan(self, plan: Chosen) -> None:
        """What the admins say; less is sent while it is doubted."""
        self._allowance.set_plan(plan)
        self._follow(self._context.clock.monotonic())

    def answered(self, result: StepResult, now: float) -> News | None:
        """Learn from an answer. What changes holds at once; `keep` it."""
        if result.limited:
            fresh = self.rate.limited(now, result.retry_after)
            doubted = fresh and self._allowance.limited(now, self.rate.used(now))
            self._follow(now)
            return News.DOUBTED if doubted else News.LIMITED
        believed = result.sent and self._allowance.sent(now, self.rate.used(now))
        return News.BELIEVED if believed else None

    async def keep(self, news: News) -> None:
        """For later lives; and the admins of all servers that use the key are told of a doubt, once. What
        could not be kept is known until the process ends."""
        try:
            async with self._context.storage.write() as tx:
                await self._keep(tx)
                if news is not News.LIMITED:
                    await self._tell(tx, doubted=news is News.DOUBTED)
        except Exception as error:  # noqa: BLE001 - logged; all else goes on
            _log.warning("What 429s told of lane %s could not be kept: %r", self._lane[:8], error)
        if news is not News.LIMITED:
            self._context.changed()

    def _follow(self, now: float) -> None:
        self.rate.set_limit(self._allowance.limit(now))

    async def _keep(self, tx: Transaction) -> None:
        now = self._context.clock.monotonic()
        slowed, doubt = self.rate.slowed(now), self._allowance.doubt(now)
        if slowed is None and doubt is None:
            await tx.lane_limits.forget(self._lane)
            return
        plan = self._allowance.plan
        lowered_to = self._allowance.limit(now)
        await tx.lane_limits.keep(
            self._lane, _row(self._context.clock.now(), plan, slowed, doubt, lowered_to)
        )

    async def _tell(self, tx: Transaction, *, doubted: bool) -> None:
        """If the plan is right after all, a doubt may be told anew."""
        now, at = self._context.clock.monotonic(), self._context.clock.now()
        used, lowered = self.rate.used(now), self._allowance.limit(now)
        for key in await tx.keys.all():
            if key.lane != self._lane:
                continue
            kind = NoticeKind.PLAN_DOUBTED
            if doubted and key.retired_at is None:
                told = doubt_details(key, used, lowered)
                await tx.notices.add(key.guild_id, kind, str(key.id), at=at, details=told)
            elif not doubted:
                await tx.notices.forget(key.guild_id, kind)


async def recall(context: EngineContext, lanes: Collection[str]) -> dict[str, Memory]:
    """What lanes that begin now know of the time before they rested or the process was another. One question
    for all, as after a start there may be hundreds."""
    if not lanes:
        return {}
    now = context.clock.now()
    counts = timedelta(seconds=context.tuning.rate_period + context.tuning.answer_bound)
    async with context.storage.read() as tx:
        sent = await tx.lanes.of(lanes, now - counts)
        limits = await tx.lane_limits.of(lanes)
    return {
        lane: Memory([_request(one, now) for one in sent[lane]], *_of_row(limits.get(lane), now))
        for lane in lanes
    }


def _request(one: Sent, now: datetime) -> Earlier:
    settled = None if one.settled is None else (now - one.settled).total_seconds()
    return Earlier((now - one.at).total_seconds(), settled)


def _row(
    now: datetime, plan: Chosen, slowed: Slowed | None, doubt: Doubt | None, lowered_to: int
) -> LaneLimits:
    def after(seconds: float) -> datetime:
        return now + timedelta(seconds=seconds)

    lowered = doubt is not None and doubt.lowered_for > 0
    return LaneLimits(
        at=now,
        blocked_until=None if slowed is None else after(slowed.blocked),
        paced_until=None if slowed is None else after(slowed.paced),
        blocks=0 if slowed is None else slowed.blocks,
        plan=plan.limit,
        plan_at=plan.at,
        odd_at=None if doubt is None else after(-doubt.odd_for),
        doubted=doubt is not None and doubt.certain,
        lowered_to=lowered_to if lowered else None,
        lowered_until=after(doubt.lowered_for) if doubt is not None and lowered else None,
        next_lowered=0.0 if doubt is None else doubt.next_lowered,
    )


def _of_row(row: LaneLimits | None, now: datetime) -> tuple[Slowed | None, Doubt | None]:
    if row is None:
        return None, None

    def until(moment: datetime | None) -> float:
        return 0.0 if moment is None else (moment - now).total_seconds()

    slowed = doubt = None
    if row.paced_until is not None and row.paced_until > now:
        slowed = Slowed(until(row.blocked_until), until(row.paced_until), row.blocks)
    if row.odd_at is not None:
        plan = Chosen(row.plan, row.plan_at)
        doubt = Doubt(plan, -until(row.odd_at), row.doubted, until(row.lowered_until), row.next_lowered)
    return slowed, doubt
