"""Records each request before it is sent, within its key's limit, which other processes may use up too."""

from collections.abc import Iterable
from datetime import timedelta

from bot.engine.context import EngineContext
from bot.engine.lanes.rate_state import RateState
from bot.storage import Transaction


async def count_excess(
    transaction: Transaction, context: EngineContext, rates: Iterable[RateState]
) -> dict[str, int]:
    """Return by how many requests each lane exceeds its limit, with those about to be sent.

    Until the transaction ends, no other process counts requests of these lanes. What is sent is recorded in
    the same transaction, with `record_requests`.
    """
    lanes = {rate.lane: rate for rate in rates}
    others = await transaction.lanes.beside_others(lanes, context.clock.now() - context.tuning.counted)
    return {lane: rate.excess(others[lane]) for lane, rate in lanes.items()}


async def record_requests(
    transaction: Transaction,
    context: EngineContext,
    sent: Iterable[RateState],
    ahead: Iterable[RateState] = (),
) -> None:
    """Record a request of each lane in `sent` now, and a poll of each in `ahead` in advance."""
    at = context.clock.now()
    later = at + timedelta(seconds=context.tuning.polls_ahead_for)
    rows = [(rate.lane, rate.request(at)) for rate in sent]
    rows += [(rate.lane, rate.request(at)._replace(at=later)) for rate in ahead]
    await transaction.lanes.add(rows)
