"""What is tried again: the pauses, and what the log says."""

import pytest

from bot.aio.liveness import OPERATION_TIMEOUT, Liveness
from bot.aio.retry import RETRY_TRIES, ErrorLog, StoreRetry
from bot.errors import Outage
from tests.support.clock import FakeClock


def test_what_keeps_failing_is_logged_whole_once_whatever_goes_well_beside_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = ErrorLog("a request of a lane")
    pauses: list[float] = []
    for _ in range(4):
        pauses.append(errors.failed(RuntimeError("nobody foresaw this"), "one job"))
        errors.succeeded("another job")
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "WARNING", "WARNING"]
    errors.succeeded("one job")
    assert errors.failed(RuntimeError("nobody foresaw this"), "one job") == 1.0
    assert caplog.records[-1].levelname == "ERROR"


class Store:
    """Fails with these errors, one after the other, before it stores."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)

    async def __call__(self) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return "stored"


async def test_an_answer_is_stored_however_long_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.aio.retry.RETRY_PAUSE", 0.0)
    retrying = StoreRetry("storing it", Liveness(FakeClock()))
    outage = [Outage(), OSError("disk full")] * (2 * RETRY_TRIES)
    assert await retrying.run("12ab", Store(*outage)) == "stored"
    assert not any(record.exc_info and record.exc_info[0] is Outage for record in caplog.records)


async def test_who_waits_to_store_an_answer_is_not_taken_for_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.aio.retry.RETRY_PAUSE", 0.0)
    clock = FakeClock()
    liveness = Liveness(clock)
    stuck: list[str | None] = []

    async def store() -> str:
        clock.advance(0.6 * OPERATION_TIMEOUT)
        stuck.append(liveness.stuck())
        if len(stuck) < 5:
            raise Outage
        return "stored"

    with liveness.operation("submit 12ab"):
        assert await StoreRetry("storing it", liveness).run("12ab", store) == "stored"
    assert stuck == [None] * 5


async def test_an_answer_that_can_never_be_stored_does_not_keep_its_task_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.aio.retry.RETRY_PAUSE", 0.0)
    retrying = StoreRetry("storing it", Liveness(FakeClock()))
    with pytest.raises(KeyError):
        await retrying.run("12ab", Store(*[KeyError("no such column")] * (RETRY_TRIES + 1)))
