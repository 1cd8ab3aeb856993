"""What is tried again: the pauses, and what the log says."""

import pytest

from bot.aio.retry import ErrorLog


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
