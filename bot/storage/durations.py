"""The durations of recent jobs at Studii."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from bot.storage.database.session import Session
from bot.storage.schema import durations

MAX_KEPT_SAMPLES = 100  # newest samples of each tool and kind of output


class Sample(NamedTuple):
    """A job of the tool still ran after `low` seconds and had ended after `high`."""

    tool: str
    output_kind: str
    low: float
    high: float
    at: datetime


class DurationSamples:
    """Intervals of seconds from submission to the end, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def learn(self, tool: str, output_kind: str, low: float, high: float, at: datetime) -> None:
        """Add a sample, as `learn_all` does."""
        await self.learn_all([Sample(tool, output_kind, low, high, at)])

    async def learn_all(self, samples: Sequence[Sample]) -> None:
        """Add samples. Deletes all but the newest `MAX_KEPT_SAMPLES` ones of each tool and kind of output."""
        await self._session.execute(insert(durations), [sample._asdict() for sample in samples])
        for tool, output_kind in sorted({(sample.tool, sample.output_kind) for sample in samples}):
            of_these = (durations.c.tool == tool) & (durations.c.output_kind == output_kind)
            newest = select(durations.c.id).where(of_these).order_by(durations.c.id.desc())
            first_kept = newest.limit(1).offset(MAX_KEPT_SAMPLES - 1).scalar_subquery()
            await self._session.execute(delete(durations).where(of_these, durations.c.id < first_kept))

    async def all(self) -> dict[tuple[str, str], list[tuple[float, float]]]:
        """Return the samples by tool and kind of output, oldest first."""
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for row in await self._session.execute(select(durations).order_by(durations.c.id)):
            found.setdefault((row.tool, row.output_kind), []).append((row.low, row.high))
        return found
