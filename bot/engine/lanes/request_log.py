"""Records the requests of each lane before they are sent, and asks what other processes have sent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.engine.context import EngineContext
from bot.engine.lanes import rate_state
from bot.engine.lanes.rate_state import RateState
from bot.storage import Sent, Transaction

TIDIED_EVERY = timedelta(seconds=30)


class RequestLog:
    """Records each request before it is sent, so that a restart knows of it.

    Polls are recorded in advance, about as many as a lane has just sent in that time: one that is not sent
    until then counts all the same after a restart.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._tidied: datetime | None = None

    async def refused(self, transaction: Transaction, rates: Sequence[RateState]) -> dict[str, int]:
        """Return how many of the requests must not be sent yet, by lane, because of those of other processes.

        `rates` may name a lane several times, once for each request. Until the transaction ends, no other
        process counts requests of these lanes: what is allowed here is recorded in the same step.
        """
        lanes = {rate.lane: rate for rate in rates}
        if self._context.member.shards.all or not lanes:
            return {}
        # Whether others use a key may change at any moment, so it is not kept in memory.
        await transaction.lanes.lock(*lanes)
        tuning, epoch = self._context.tuning, self._context.member.epoch
        counted = timedelta(seconds=tuning.rate_period + tuning.answer_bound)
        sent = await transaction.lanes.of(lanes, self._context.clock.now() - counted)
        return {lane: rate.excess(sent[lane], epoch) for lane, rate in lanes.items()}

    async def record(
        self, transaction: Transaction, rates: Sequence[RateState], at: datetime
    ) -> Mapping[str, int]:
        """Record a request for each item of `rates`, which may name one several times, and polls in advance.

        Returns the number of the latter by lane, for `grant` once the transaction has been committed.
        """
        lanes = {rate.lane: rate for rate in rates}
        ahead = {name: rate.wanted_ahead() for name, rate in lanes.items()}
        settled = {name: rate.settled(at) for name, rate in lanes.items()}
        later = at + timedelta(seconds=rate_state.AHEAD)
        epoch = self._context.member.epoch
        rows = [(rate.lane, Sent(at, settled[rate.lane], epoch)) for rate in rates]
        rows += [
            (name, Sent(later, settled[name], epoch)) for name, count in ahead.items() for _ in range(count)
        ]
        if self._tidied is None or not timedelta() <= at - self._tidied < TIDIED_EVERY:
            self._tidied = at
            await transaction.lanes.tidy(at)
        await transaction.lanes.add(rows)
        return ahead

    def grant(self, rates: Iterable[RateState], ahead: Mapping[str, int]) -> None:
        """Let the lanes send the polls that were recorded in advance."""
        for rate in {rate.lane: rate for rate in rates}.values():
            rate.granted(ahead.get(rate.lane, 0))
