"""`python -m bench`: the lane beside other policies, as a table (and with --picture, as docs/engine.png)."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from bench.bound import lower_bound
from bench.decisions import decision_milliseconds
from bench.loads import Load
from bench.measure import POLICIES, Result, Scale, learning, measure
from bench.picture import draw
from bench.table import table

TARGETS = {
    ("mixed", 300, 20): 1.25,
    ("videos", 300, 60): 1.10,
    ("videos", 60, 20): 1.40,
    ("mixed", 300, 60): 1.75,
    ("mixed", 60, 5): 1.90,
}
WIDTH = 120  # characters, when the table goes into a file
QUICK = [
    *(Load(*key) for key in TARGETS),
    Load("images", 300, 1),
    Load("mixed", 60, 20, burst=True),
    Load("images", 60, 60, burst=True),
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
    parser.add_argument("--quick", action="store_true", help="the loads with a target alone, and few jobs")
    parser.add_argument("--targets", action="store_true", help="the same loads, three runs of each")
    parser.add_argument("--picture", type=Path, help="draw the result there")
    return parser.parse_args()


def main() -> None:
    """Simulate, and say how it went."""
    arguments = _arguments()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    loads = QUICK if arguments.quick or arguments.targets else FULL
    scale = Scale(lasts=600.0) if arguments.targets else Scale()
    if arguments.quick:
        scale = Scale(seeds=1, lasts=450.0, burst_jobs=20)
    results: list[Result] = []
    with ProcessPoolExecutor() as pool:
        under_way = {load: [pool.submit(measure, load, one, scale) for one in POLICIES] for load in loads}
        for load in track(loads, "Simulating", console=console, transient=True):
            some = [one.result() for one in under_way[load]]
            results += some
            key = (load.mix, load.limit, load.in_flight)
            target = None if load.burst else TARGETS.get(key)
            console.print(table(load, some, None if load.burst else lower_bound(load), target))
    console.print(f"\nOne decision with 200 jobs: {decision_milliseconds():.2f} ms (median; to reach: 1 ms)")
    learned = [learning(guess) for guess in (0.5, 1.0, 2.0)]
    console.print(
        "Learned from 20 jobs, with a guess that is half, right, double: within "
        + ", ".join(f"{one.of_these:.0%}" for one in learned)
        + " of what those took (nine times of ten; to reach: 15 %)"
    )
    if arguments.picture:
        draw(results, arguments.picture)
        console.print(f"Drawn: {arguments.picture}")


if __name__ == "__main__":
    main()
