"""Work that a cancellation must not interrupt."""

import asyncio

import pytest

from bot.aio.shield import DrainingGroup, shielded
from tests.support.patience import PATIENCE


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("cancellations", [0, 1, 3])
async def test_work_that_must_not_be_torn_ends_before_the_cancellation_is_passed_on(
    caplog: pytest.LogCaptureFixture, cancellations: int, *, fails: bool
) -> None:
    going_on, done = asyncio.Event(), list[str]()

    async def work() -> None:
        await going_on.wait()
        done.append("whole")
        if fails:
            raise ValueError("the answer was lost")

    task = asyncio.create_task(shielded(work()))
    for _ in range(cancellations):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    going_on.set()
    await asyncio.wait({task})
    assert done == ["whole"]
    assert task.cancelled() == (cancellations > 0)
    assert ("the answer was lost" in caplog.text) == (fails and cancellations > 0)
    if not cancellations:
        assert isinstance(task.exception(), ValueError) == fails


class Stopped:
    """A loop with a group of tasks, which is cancelled when both of its tasks have begun."""

    def __init__(self, patience: float) -> None:
        self.answered, self.ends = asyncio.Event(), list[str]()
        self._patience = patience

    async def _request(self, name: str) -> None:
        try:
            await self.answered.wait()
            self.ends.append(f"{name} answered")
        except asyncio.CancelledError:
            self.ends.append(f"{name} cancelled")
            raise

    async def _loop(self) -> None:
        async with DrainingGroup(self._patience) as group:
            group.create_task(self._request("paid"), name="paid")
            group.create_task(self._request("free"), name="free", at_once=True)
            await asyncio.sleep(3600)

    async def run(self, *, cancellations: int = 1, answer: bool) -> None:
        loop = asyncio.create_task(self._loop())
        for _ in range(cancellations):
            for _ in range(3):
                await asyncio.sleep(0)
            loop.cancel()
        if answer:
            for _ in range(3):
                await asyncio.sleep(0)
            self.answered.set()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(asyncio.CancelledError):
                await loop


@pytest.mark.parametrize("cancellations", [1, 3])
async def test_of_a_group_that_is_cancelled_what_must_not_be_torn_ends_by_itself(cancellations: int) -> None:
    stopped = Stopped(PATIENCE)
    await stopped.run(cancellations=cancellations, answer=True)
    assert stopped.ends == ["free cancelled", "paid answered"]


async def test_patience_with_such_a_group_has_an_end() -> None:
    stopped = Stopped(0.01)
    await stopped.run(answer=False)
    assert stopped.ends == ["free cancelled", "paid cancelled"]
