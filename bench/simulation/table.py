"""Tables of the results of loads."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from bench.simulation.loads import Load
from bench.simulation.measure import Newcomer, Result

COLUMNS = ("mean s", "p95 s", "ratio", "whole wait s", "requests/job", "429s", "seen", "told", "well")


NEWCOMERS = {
    "has seen 100 jobs": Newcomer(1.0, 100),
    "5, a guess of a third": Newcomer(1 / 3, 5),
    "5, a guess of three times": Newcomer(3.0, 5),
    "none, a guess of a third": Newcomer(1 / 3),
    "none, a right guess": Newcomer(1.0),
    "none, a guess of three times": Newcomer(3.0),
}
SURELY = 0.99  # of the lane's figure: less than that is no accident of rounding


def is_better(one: Result, ours: Result, what: str) -> bool:
    """Return whether another policy has a lower value of the field than the lane and ends as many jobs."""
    return one is not ours and one.done >= ours.done and getattr(one, what) < SURELY * getattr(ours, what)


def table(load: Load, results: list[Result], bound: float | None, target: float | None) -> Table:
    """Return a table with a row for each policy. Waits that are shorter than the lane's are marked."""
    ours = results[0]
    title = load.name
    if bound is not None:
        title += f" · in the long run no policy is better than {bound:.2f} s"
    elif not load.burst:
        title += " · more than the key can carry"
    if target is not None and bound:
        reached = "reached" if ours.mean / bound <= target else "missed"
        title += f" · to reach: {target:.2f} times that ({reached})"
    made = Table(title=title, title_justify="left", title_style="bold")
    made.add_column("policy")
    for column in COLUMNS:
        made.add_column(column, justify="right")
    for one in results:
        mean, p95, whole = (
            f"{getattr(one, what):.{digits}f}" + (" *" if is_better(one, ours, what) else "")
            for what, digits in (("mean", 2), ("p95", 1), ("overhead", 2))
        )
        made.add_row(
            one.policy,
            mean,
            p95,
            "" if bound is None else f"{one.mean / bound:.2f}",
            whole,
            f"{one.requests:.1f}",
            f"{one.refused:.1%}" if one.refused else "0",
            f"{one.done:.0%}",
            "" if one.told is None else f"{one.told:.0%}",
            "" if one.told_well is None else f"{one.told_well:.0%}",
        )
    if any(is_better(one, ours, what) for one in results for what in ("mean", "p95", "overhead")):
        made.caption = "* less than the lane's"
        made.caption_justify = "left"
    return made


def waits(told: Mapping[Load, Sequence[Result]]) -> Table:
    """Return a table of the predicted waits in the queue, with a column for each of the newcomers."""
    made = Table(
        title="Waits in the queue: told at all / within 30 % or 3 s", title_justify="left", title_style="bold"
    )
    made.add_column("load")
    for name in NEWCOMERS:
        made.add_column(name, justify="right")
    for load, results in told.items():
        made.add_row(load.name, *map(_told, results))
    return made


def _told(one: Result) -> str:
    if one.told is None:
        return "nobody waits"
    return f"{one.told:.0%}" + ("" if one.told_well is None else f" / {one.told_well:.0%}")
