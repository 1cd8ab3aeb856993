"""One process from which all lives of a pytest process are started."""

import asyncio
from collections.abc import Generator

import pytest

from tests.crash.trial import Trial, Verdict
from tests.crash.world import Zygote, worlds, zygote


@pytest.fixture(scope="session")
def _begun() -> Generator[tuple[Zygote, Verdict]]:
    async def lived(process: Zygote) -> Verdict:
        async with worlds() as own:
            return await Trial().make(own, process)

    with zygote(forks=True) as process:
        yield process, asyncio.run(lived(process))


@pytest.fixture(scope="session")
def process(_begun: tuple[Zygote, Verdict]) -> Zygote:
    """The process, in which a life has loaded what any life needs."""
    return _begun[0]


@pytest.fixture(scope="session")
def quiet(_begun: tuple[Zygote, Verdict]) -> Verdict:
    """What came of that life, which had no trouble."""
    return _begun[1]
