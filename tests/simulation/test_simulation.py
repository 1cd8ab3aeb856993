"""Twenty simulated hours, and that they can be repeated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from discord.backoff import ExponentialBackoff

from tests.simulation.loop import Clock, tamed
from tests.simulation.mutations import MUTATIONS
from tests.simulation.run import simulate


@pytest.mark.promise
def test_twenty_hours_break_no_promise() -> None:
    result = simulate(2, 20, pace=0.25)
    assert result.counts["jobs"] > 30
    assert result.counts["faults"] > 30
    assert min(result.counts["kills"], result.counts["fault: studii 500"]) > 0
    assert len(result.ways) >= 12  # ways of jobs from state to state
    assert result.broken == []


def test_a_seed_is_repeated_to_the_byte(tmp_path: Path) -> None:
    """Whatever the hashes of texts are, and wherever objects are in memory."""

    def begin(hashes: str, filled: int) -> "subprocess.Popen[bytes]":
        arguments = ["--seed", "3", "--days", "0.01", "--trace", str(tmp_path / hashes)]
        program = (
            f"import runpy; filled = [bytearray(17 * n % 999) for n in range({filled})]; del filled[::3];"
            " runpy.run_module('tests.simulation', run_name='__main__')"
        )
        return subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-W", "ignore", "-c", program, *arguments],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            stdout=subprocess.DEVNULL,
        )

    processes = [begin("1", 0), begin("2", 3000)]
    assert [one.wait(timeout=300) for one in processes] == [0, 0]
    first, second = (tmp_path / "1").read_bytes(), (tmp_path / "2").read_bytes()
    assert first.count(b"\n") > 100
    assert first == second


def test_how_long_discord_py_waits_before_it_connects_again_follows_from_the_seed() -> None:
    waits = list[float]()
    for _ in range(2):
        with tamed(Clock(1)):
            waits.append(ExponentialBackoff().delay())
    assert waits[0] == waits[1]


def test_a_repeated_submission_is_found() -> None:
    with MUTATIONS[0].planted():
        broken = simulate(1, 0.2).broken
    assert any("was accepted 1 times and submitted 2 times" in line for line in broken)


def test_each_planted_defect_is_somewhere_in_the_bot() -> None:
    for mutation in MUTATIONS:
        with mutation.planted():  # raises if what it replaces has moved
            pass
    assert len(MUTATIONS) >= 30
