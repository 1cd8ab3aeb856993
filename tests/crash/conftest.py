"""One process from which all lives of a pytest process are started."""

import asyncio
from collections.abc import Generator

import pytest

from tests.crash.trial import Verdict, attempt
from tests.crash.world import Zygote, worlds, zygote


@pytest.fixture(scope="session")
def process() -> Generator[Zygote]:
    with zygote(forks=True) as started:
        yield started


@pytest.fixture(scope="session")
def quiet(process: Zygote) -> Verdict:
    """A life without trouble, in which the zygote has loaded what any life needs."""

    async def lived() -> Verdict:
        async with worlds() as own:
            return await attempt(own, process)

    return asyncio.run(lived())
