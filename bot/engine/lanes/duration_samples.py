"""Learn how long jobs took at once, and store it now and then with others."""

import logging

from bot.engine.context import EngineContext
from bot.engine.lane import Durations, Work
from bot.jobs import lanes as lane_rows
from bot.jobs.lanes import Sample

_log = logging.getLogger(__name__)

MAX_UNSAVED_SAMPLES = 500


class Samples:
    """Keeps unsaved samples in memory; losing them on exit is acceptable."""

    def __init__(self, context: EngineContext, durations: Durations) -> None:
        self.durations = durations
        self._context = context
        self._unsaved: list[Sample] = []

    def add(self, work: Work, low: float, high: float) -> None:
        """Learn from a job that still ran after `low` seconds and had ended after `high`."""
        self.durations.learn(work, low, high)
        self._unsaved.append(Sample(*work, low, high, self._context.clock.now()))
        del self._unsaved[:-MAX_UNSAVED_SAMPLES]

    async def save(self) -> None:
        """Store what was learned. If that fails, it is logged, and tried again the next time."""
        saved = list(self._unsaved)
        if not saved:
            return
        try:
            async with self._context.storage.write() as transaction:
                await transaction.run(lane_rows.learn_durations, saved)
        except Exception as error:  # noqa: BLE001 - logged; all else continues
            _log.warning("The durations of %d jobs could not be stored yet: %r", len(saved), error)
        else:
            self._unsaved = [sample for sample in self._unsaved if sample not in saved]
