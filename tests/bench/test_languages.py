"""The languages are small, so all are in memory."""

from bench.languages import memory
from bench.machine.apart import apart


async def test_all_translations_take_less_than_5_mib() -> None:
    assert 0.5 < await apart(memory) < 5
