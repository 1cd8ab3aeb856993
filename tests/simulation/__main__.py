"""Simulated days of the bot: `python -m tests.simulation --seeds 100 --days 1`."""

import argparse
import logging
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from tests.simulation.run import Result, quiet_logs, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--seeds", type=int, default=10, help="run seeds 0 to this number")
    parser.add_argument("--days", type=float, default=1.0, help="how long people act")
    parser.add_argument("--trace", type=Path, help="write all events to this file")
    parser.add_argument("--log", action="store_true", help="show the bot's log")
    args = parser.parse_args()
    if args.log:
        logging.basicConfig(level=logging.INFO)
    else:
        quiet_logs()
    console, total, broken = Console(highlight=False, soft_wrap=True), Counter[str](), 0
    for seed in [args.seed] if args.seed is not None else range(args.seeds):
        result = _run(seed, args.days * 24, args.trace)
        total += result.counts
        broken += len(result.broken)
        console.print(_told(result))
    console.print(f"{broken} broken promises; {dict(sorted(total.items()))}")
    return bool(broken)


def _run(seed: int, hours: float, trace: Path | None) -> Result:
    if trace is None:
        return simulate(seed, hours)
    with trace.open("w") as file:
        return simulate(seed, hours, file)


def _told(result: Result) -> str:
    counts = result.counts
    first = (
        f"seed {result.seed}: {counts['jobs']} jobs, {counts['faults']} faults, {counts['kills']} kills,"
        f" {len(result.broken)} broken promises, {result.seconds:.1f} s, {result.digest[:16]}"
    )
    return "\n".join([first, *(f"    {line}" for line in result.broken[:20])])


if __name__ == "__main__":
    sys.exit(main())
