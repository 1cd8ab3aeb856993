"""The durations of recent jobs at Studii."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from bot.storage.database.repository import Repository
from bot.storage.schema import durations

MAX_KEPT_SAMPLES = 100  # newest samples of each tool and kind of output


class Sample(NamedTuple):
    """A job of the tool still ran after `low` seconds and had ended after `high`."""

    tool: str
    output_kind: str
    low: float
    high: float
    at: datetime


class DurationSamples(Repository):
    """Intervals of seconds from submission to the end, within one transaction."""

    async def learn_all(self, samples: Sequence[Sample]) -> None:
        """Add samples. Deletes all but the newest `MAX_KEPT_SAMPLES` ones of each tool and kind of output."""
        await self._session.execute(_ADD, [sample._asdict() for sample in samples])
        for tool, output_kind in sorted({(sample.tool, sample.output_kind) for sample in samples}):
            await self._session.execute(_DROP_OLD, {"of_tool": tool, "of_kind": output_kind})

    async def all(self) -> dict[tuple[str, str], list[tuple[float, float]]]:
        """Return the samples by tool and kind of output, oldest first."""
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for row in await self._session.execute(_ALL):
            found.setdefault((row.tool, row.output_kind), []).append((row.low, row.high))
        return found


# Statements, made once (see `Session.execute`).
_ADD = insert(durations)
_ALL = select(durations).order_by(durations.c.id)
_THESE = (durations.c.tool == bindparam("of_tool")) & (durations.c.output_kind == bindparam("of_kind"))
_FIRST_KEPT = (
    select(durations.c.id)
    .where(_THESE)
    .order_by(durations.c.id.desc())
    .limit(1)
    .offset(MAX_KEPT_SAMPLES - 1)
    .scalar_subquery()
)
_DROP_OLD = delete(durations).where(_THESE, durations.c.id < _FIRST_KEPT)
