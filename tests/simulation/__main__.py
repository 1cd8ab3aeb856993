"""Simulated days of the bot, from seeds: people, faults and kills, and books that are compared after each."""

import argparse
import logging
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.simulation import mutations, troubles
from tests.simulation.books import OF_SEVERAL, never_taken
from tests.simulation.run import ACTORS, Result, shrink, simulate
from tests.support.cheap import share_statements

PACE = 0.85  # a day then has some 520 jobs and 400 faults, and a hundred take some 80 minutes on two cores
_console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    arguments = _arguments()
    share_statements()
    if arguments.log:
        logging.basicConfig(level=logging.INFO)
    else:
        logging.disable()  # all faults are told in it
    if arguments.mutations is not None:
        return _mutate(arguments.mutations, arguments.seed)
    hours, seed, pace, without = arguments.days * 24, arguments.seed, arguments.pace, arguments.without
    if arguments.shrink:
        hours, without = shrink(seed, hours, pace, _console.print)
        left_out = f" --without '{','.join(sorted(without))}'" if without else ""
        asked = f"--seed {seed} --days {hours / 24:.4f} --pace {pace:g}{left_out}"
        _console.print(f"python -m tests.simulation {asked}")
        return 1
    if seed is not None:
        results = [_one(seed, hours, pace, without, arguments.trace)]
        _tell(results[0])
    else:
        results = _all(range(arguments.first, arguments.seeds), hours, pace, without)
    _sum_up(results)
    return int(any(result.broken for result in results))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="run the seeds below this number")
    parser.add_argument("--first", type=int, default=0, help="leave out the seeds below this number")
    parser.add_argument("--days", type=float, default=1.0, help="how long people act")
    parser.add_argument("--pace", type=float, default=PACE, help="how many times as often all happens")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", type=Path, help="write all events of the seed to this file")
    parser.add_argument("--log", action="store_true", help="show the bot's log")
    parser.add_argument(
        "--without",
        type=lambda given: frozenset(filter(None, given.split(","))),
        default=frozenset[str](),
        help="leave out these actors and troubles, parted by commas",
    )
    parser.add_argument("--shrink", action="store_true", help="make the seed's failing run small")
    parser.add_argument(
        "--mutations",
        nargs="?",
        const="",
        help="look for each planted defect, or those of that name, in 50 seeds or `--seed`",
    )
    arguments = parser.parse_args()
    if (arguments.shrink or arguments.trace) and arguments.seed is None:
        parser.error("--shrink and --trace need --seed")
    if unknown := sorted(arguments.without - {*ACTORS, *troubles.names()}):
        parser.error(f"--without knows no {', '.join(unknown)}")
    if arguments.seed is None and arguments.first >= arguments.seeds:
        parser.error("no seed is below --seeds and not below --first")
    if not any((arguments.mutations or "") in one.name for one in mutations.MUTATIONS):
        parser.error(f"no planted defect has {arguments.mutations!r} in its name")
    return arguments


def _mutate(wanted: str, seed: int | None) -> int:
    """Look for the planted defects; return whether one was not found."""
    missed = 0
    for mutation, found in mutations.find_all(wanted, seed):
        missed += found is None
        what = "NOT FOUND" if found is None else f"seed {found[0]}: {found[1][:160]}"
        _console.print(f"{mutation.name}: {what}")
    return int(missed > 0)


def _one(seed: int, hours: float, pace: float, without: frozenset[str], trace: Path | None = None) -> Result:
    if trace is None:
        return simulate(seed, hours, pace=pace, without=without)
    with trace.open("w") as file:
        return simulate(seed, hours, file, pace=pace, without=without)


def _all(seeds: Sequence[int], hours: float, pace: float, without: frozenset[str]) -> list[Result]:
    """Run each seed in a process of its own, one for each core at a time. Ctrl+C leaves out those to come."""
    results = list[Result]()
    context = multiprocessing.get_context("fork")
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        run = partial(_one, hours=hours, pace=pace, without=without)
        with suppress(KeyboardInterrupt):
            for result in pool.imap_unordered(run, seeds):
                _tell(result)
                results.append(result)
    return results


def _tell(result: Result) -> None:
    counts = result.counts
    _console.print(
        f"seed {result.seed}: {counts['jobs']} jobs, {counts['faults']} faults, {counts['kills']} kills,"
        f" {len(result.broken)} broken promises; {result.seconds:.1f} s, {result.digest[:16]}"
    )
    for line in result.broken[:20]:
        _console.print(f"    {line}")


def _sum_up(results: list[Result]) -> None:
    """Say what happened how often, and which ways jobs took from state to state."""
    total, ways = Counter[str](), Counter[tuple[str, str]]()
    for result in results:
        total += result.counts
        ways += result.ways
    for name, times in sorted(total.items()):
        _console.print(f"{times:9} {name}")
    for (before, after), times in sorted(ways.items()):
        _console.print(f"{times:9} {before} → {after}")
    for before, after in never_taken(ways):
        _console.print(f"    never {before} → {after}")
    _console.print(f"    ({' → '.join(OF_SEVERAL)} takes several processes: tests/cluster)")
    broken = sum(len(result.broken) for result in results)
    days = sum(result.hours for result in results) / 24
    seconds = sum(result.seconds for result in results)
    _console.print(f"{days:.1f} days, {broken} broken promises, {seconds:.0f} s of the processor")


if __name__ == "__main__":
    sys.exit(main())
