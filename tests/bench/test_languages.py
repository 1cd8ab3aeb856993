"""The languages are small, so all are in memory."""

import pytest

from bench.languages import memory
from bench.machine.apart import apart


@pytest.mark.promise
async def test_all_translations_take_less_than_5_mib_beside_babels_data() -> None:
    found = dict(await apart(memory))
    assert 0.5 < found["all catalogues"] < 5
    assert found["Babel's data of all languages"] < 12
