"""What moderators read of requests and results, before and after they are decided on."""

from typing import Any

import pytest

from bot.jobs.models import Approval, JobState
from bot.jobs.results import ForModerators
from bot.reasons import Reason, ReasonCode
from bot.ui.admin.approvals import OpenedFiles, approval_request, nothing_to_decide, result_review
from tests.support.jobs import staging
from tests.support.panels import NAMES, words

NO_FILES = OpenedFiles()
IN_VAIN = Reason(ReasonCode.NOT_APPROVED)


def request(count: int = 1, *, hidden: bool = False) -> str:
    jobs = tuple(staging(id=f"{at:016x}", state=JobState.PENDING) for at in range(count))
    return words(approval_request(ForModerators(jobs, photos=()), NAMES, 7, NO_FILES, hidden=hidden))


@pytest.mark.promise
def test_a_request_of_an_age_restricted_channel_is_not_shown_in_another() -> None:
    shown = request(hidden=True)
    assert "The request isn't shown here, because it comes from an age-restricted channel." in shown
    assert "modern" not in shown
    assert "modern" in request()


def test_photos_that_are_too_large_to_show_are_not_missed() -> None:
    assert "The photo is too large to show here." in request()
    assert "Not all of the photos can be shown here: they are too large." in request(3)


def test_a_result_that_is_too_large_to_show_says_so_and_what_it_cost() -> None:
    job = staging(state=JobState.REVIEWING, reserved=0)
    shown = words(result_review(job, NAMES, NO_FILES))
    assert "The result is too large to show here." in shown
    assert "Not charged · finished" in shown


@pytest.mark.parametrize(
    ("changes", "result", "said"),
    [
        ({"state": JobState.FAILED, "failure_text": IN_VAIN}, False, "⌛ No one decided"),
        ({"state": JobState.WAITING, "approval": Approval.GIVEN}, False, "✅ This request was approved"),
        ({"state": JobState.SUCCEEDED}, True, "✅ This result was approved"),
        ({"state": JobState.WITHHELD}, True, "🚫 This result isn't posted"),
        ({"state": JobState.CANCELLED}, False, "🚫 This request was cancelled"),
        ({"state": JobState.FAILED}, False, "🚫 This request has ended"),
    ],
)
def test_a_question_that_ended_without_a_button_says_how(
    changes: dict[str, Any], result: bool, said: str
) -> None:
    assert said in words(nothing_to_decide(staging(**changes), NAMES, result=result))
