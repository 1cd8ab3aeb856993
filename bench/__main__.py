"""`python -m bench`: the lane beside other policies, as a table (and with --picture, as docs/engine.png)."""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from bench.simulation.bound import lower_bound
from bench.simulation.decisions import decision_milliseconds
from bench.simulation.loads import IMAGE, VIDEO, Load
from bench.simulation.measure import POLICIES, Result, Scale, learning, measure
from bench.simulation.picture import draw
from bench.simulation.table import NEWCOMERS, is_better, table, waits
from bot.engine.lane import Work

TARGETS = {
    ("mixed", 300, 20): 1.25,
    ("videos", 300, 60): 1.10,
    ("videos", 60, 20): 1.40,
    ("mixed", 300, 60): 1.75,
    ("mixed", 60, 5): 1.90,
}
LEGEND = """\
mean, p95: from the end of a job until it is seen; whole wait: all but what Studii works on it.
lane: has seen 100 jobs; new lane: none, and its guess is double; round-robin: the lane's limits and queue,
but polls in turn; the others: each job in a loop of its own, without limits.
told: the share of waits that are predicted; well: the share of these that are right within 30 % or 3 s.
"""
WIDTH = 120  # characters, when the table goes into a file
QUICK = [
    *(Load(*key) for key in TARGETS),
    Load("images", 300, 1),
    Load("mixed", 60, 20, burst=True),
    Load("images", 60, 60, burst=True),
    Load("images", 60, 8),
]
LINES = [
    Load("images", 60, 20, burst=True),
    Load("mixed", 60, 20, burst=True),
    Load("images", 60, 60, burst=True),
    Load("mixed", 60, 60, burst=True),
    Load("videos", 60, 60, burst=True),
    Load("mixed", 300, 200, burst=True),
    Load("images", 60, 8),
]
FULL = [
    Load(mix, limit, in_flight, burst)
    for burst in (False, True)
    for mix in ("mixed", "images", "videos")
    for limit in (60, 300)
    for in_flight in (1, 5, 20, 60, 200)
]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short run of the loads with a target and of a few others"
    )
    parser.add_argument("--targets", action="store_true", help="the same loads, in full")
    parser.add_argument("--picture", type=Path, help="draw the result there")
    return parser.parse_args()


def _learned(work: Work) -> str:
    learned = [learning(work, wrong) for wrong in (1 / 3, 1.0, 3.0)]
    of_these, of_all = (
        ", ".join(f"{share:.0%}" for share in shares)
        for shares in zip(*((one.of_these, one.of_all) for one in learned), strict=True)
    )
    return (
        f"Median of 20 {work.output_kind}s, learned with a guess of a third, right, three times as much:\n"
        f"  nine times of ten within {of_these} of what those 20 took (to reach: 15 %),\n"
        f"  half the time within {of_all} of what all such jobs take, as far as 20 can tell"
    )


def _summary(results: Sequence[Result]) -> str:
    """Return where other policies are better, in one line each."""
    lane = {one.load: one for one in results if one.policy == POLICIES[0]}
    lines = [f"Of {len(lane)} loads, less than the lane's mean wait to be seen / whole wait:"]
    for policy in POLICIES[1:]:
        pairs = [(one, lane[one.load]) for one in results if one.policy == policy]
        seen, whole = (
            sum(is_better(one, ours, what) for one, ours in pairs) for what in ("mean", "overhead")
        )
        lines.append(f"  {policy}: {seen} / {whole}")
    refused = sum(one.refused > 0 for one in lane.values())
    return "\n".join([*lines, f"Loads in which the lane met a 429: {refused}"])


def main() -> None:
    """Simulate, and say how it went."""
    arguments = _arguments()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(LEGEND, highlight=False)
    loads = QUICK if arguments.quick or arguments.targets else FULL
    scale = Scale(jobs=1, burst_jobs=1, least=1, lasts=450.0) if arguments.quick else Scale()
    results: list[Result] = []
    with ProcessPoolExecutor() as pool:
        under_way = {load: [pool.submit(measure, load, one, scale) for one in POLICIES] for load in loads}
        told = {
            load: [pool.submit(measure, load, "new lane", scale, new=new) for new in NEWCOMERS.values()]
            for load in (() if arguments.quick else LINES)
        }
        for load in track(loads, "Simulating", console=console, transient=True):
            some = [one.result() for one in under_way[load]]
            results += some
            key = (load.mix, load.limit, load.in_flight)
            target = None if load.burst else TARGETS.get(key)
            console.print(table(load, some, None if load.burst else lower_bound(load), target))
        predicted = {load: [one.result() for one in runs] for load, runs in told.items()}
    if not arguments.quick:
        console.print(waits(predicted))
    console.print("\n" + _summary(results))
    console.print(f"One decision with 200 jobs: {decision_milliseconds():.2f} ms (median; to reach: 1 ms)")
    for work in (IMAGE, VIDEO):
        console.print(_learned(work))
    if arguments.picture:
        draw(results, arguments.picture)
        console.print(f"Drawn: {arguments.picture}")


if __name__ == "__main__":
    main()
