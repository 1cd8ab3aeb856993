"""What came of a load, as a table."""

from rich.table import Table

from bench.loads import Load
from bench.measure import Result

COLUMNS = ("mean s", "p95 s", "ratio", "whole wait s", "requests/job", "429s", "seen", "told", "well")


def table(load: Load, results: list[Result], bound: float | None, target: float | None) -> Table:
    """A row for each policy. Where another one keeps its jobs waiting less than the lane, it is marked."""
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
        better = one is not ours and one.overhead < ours.overhead * 0.99 and one.done >= ours.done
        ratio = "" if bound is None else f"{one.mean / bound:.2f}"
        told = "" if one.told is None else f"{one.told:.0%}"
        well = "" if one.told_well is None else f"{one.told_well:.0%}"
        made.add_row(
            one.policy + (" (better)" if better else ""),
            f"{one.mean:.2f}",
            f"{one.p95:.1f}",
            ratio,
            f"{one.overhead:.2f}",
            f"{one.requests:.1f}",
            f"{one.refused:.1%}" if one.refused else "0",
            f"{one.done:.0%}",
            told,
            well,
        )
    return made
