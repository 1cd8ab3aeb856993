"""What is tried again: the pauses, and what the log says."""

import pytest

from bot.aio.retry import ErrorLog, RetryLater
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


def test_a_subject_that_failed_is_left_alone_for_a_growing_pause_and_others_go_on() -> None:
    clock, tried = FakeClock(), list[str]()
    later = RetryLater("handing it on", clock)

    def fail() -> None:
        tried.append("bad")
        raise RuntimeError("no")

    for _ in range(4):
        later.attempt("bad", fail)
        later.attempt("good", lambda: tried.append("good"))
        clock.advance(1.0)
    assert tried == ["bad", "good", "bad", "good", "good", "bad", "good"]
