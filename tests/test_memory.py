"""Large results do not need large memory."""

from pathlib import Path

from bench.machine.memory import MIB, measure


async def test_a_result_of_200_mib_adds_at_most_16_mib(tmp_path: Path) -> None:
    assert (await measure(tmp_path)).added <= 16 * MIB
