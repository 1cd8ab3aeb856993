"""What admins read of what happened, in the log channel."""

from typing import Any

import pytest

from bot.jobs.models import Job, JobState
from bot.servers.notices import NoticeKind
from bot.ui.admin.notices import notice_panel
from tests.support.clock import NOON
from tests.support.jobs import staging
from tests.support.panels import NAMES, words
from tests.support.posts import a_post

DOUBT = {"plan": "pro", "used": 20, "limit": 60, "lowered": 60}


def said(kind: NoticeKind, job: Job | None = None, **details: Any) -> str:
    return words(
        notice_panel(a_post(100, kind, "1", NOON, details), NAMES, job, None, hidden=False, called=())
    )


@pytest.mark.parametrize(
    ("kind", "details", "title", "about"),
    [
        (NoticeKind.BEST_LOST, {"channel": 5}, "I can't post in the channel for the best", "<#5> was"),
        (NoticeKind.LOG_LOST, {"channel": 5}, "I can't post in the log channel any more", "<#5> was"),
        (NoticeKind.KEY_REFUSED, {}, "Studii refused this server's key\n", "Jobs wait at no cost"),
        (
            NoticeKind.PLAN_DOUBTED,
            DOUBT,
            "Studii allows fewer requests than your plan",
            "with the key after 20 in a minute. The Pro plan allows 60. For now the bot sends them more "
            "slowly, and speeds up later. Nothing is lost.",
        ),
        (
            NoticeKind.PLAN_DOUBTED,
            DOUBT | {"masked": "stu_…cdef", "lowered": 20},
            "Studii allows fewer requests than your plan",
            "with the key `stu_…cdef` after 20 in a minute. The Pro plan allows 60. For now the bot sends at "
            "most 20 a minute",
        ),
        (
            NoticeKind.WORDS,
            {"tool": "studio", "channel": 5, "user": 6, "rule": "gun", "text": None},
            "The word filter refused a request",
            "It isn't shown here, because it was asked for in an age-restricted channel.",
        ),
    ],
)
def test_a_notice_says_what_happened_and_what_it_means(
    kind: NoticeKind, details: dict[str, Any], title: str, about: str
) -> None:
    shown = said(kind, **details)
    assert title in shown
    assert about in shown


def test_a_job_that_runs_for_a_day_is_told_with_what_happens_next() -> None:
    shown = said(NoticeKind.STILL_RUNNING, staging(state=JobState.RUNNING))
    assert "A job has been running for a day" in shown
    assert "**Virtual staging** for <@300> in <#200>" in shown
    assert "the job ends, at the price that Studii has charged." in shown


@pytest.mark.promise
def test_what_was_made_privately_is_told_without_what_it_was() -> None:
    made = staging(state=JobState.SUCCEEDED, private=True, settled=8, reserved=0)
    shown = said(NoticeKind.MADE, made)
    assert "<@300> made a **Virtual staging**, shown only to them." in shown
    assert "modern" not in shown
    assert "Something was made." in said(NoticeKind.MADE)  # it was erased before this was posted
