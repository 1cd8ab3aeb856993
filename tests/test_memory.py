"""Large results do not need large memory."""

from pathlib import Path

import pytest

from bench.machine.memory import MIB, measure


@pytest.mark.promise
async def test_a_result_of_200_mib_adds_at_most_16_mib(tmp_path: Path) -> None:
    assert (await measure(tmp_path)).added <= 16 * MIB
