"""When a running job is looked at again. Pure: it is told the time."""

from collections.abc import Iterable, Mapping

from bot.engine.tuning import HOUR, Tuning


def next_look(age: float, tuning: Tuning) -> float:
    """Seconds until the next look at a job that has been running for `age` seconds."""
    if age >= tuning.hourly_after:
        return HOUR
    return min(max(tuning.look_share * age, tuning.first_look), tuning.look_bound)


def most_overdue(due: Mapping[str, float], among: Iterable[str]) -> str | None:
    """The job whose look is due first."""
    return min(among, key=lambda job_id: (due[job_id], job_id), default=None)
