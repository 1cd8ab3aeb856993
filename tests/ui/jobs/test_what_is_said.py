"""Each state of a job and of a set, and of the list of them, as its progress, line or message says it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.jobs.actions import JobPage
from bot.jobs.models import Approval, Job, JobState, Progress
from bot.jobs.results import EndOfJobs, Part
from bot.ui.jobs.listing import MINE, SERVER, UNPOSTED, ListQuery, Shown, jobs_panel
from bot.ui.jobs.posted import PostedResults
from bot.ui.jobs.progress import progress_panel, sign_of
from bot.ui.jobs.results.result import ending
from tests.support.clock import NOON
from tests.support.jobs import staging
from tests.support.panels import NAMES, labels_of, progress_words, words

SET = "00000000000000aa"


def a_set(*states: JobState, **changes: Any) -> list[Job]:
    return [staging(id=f"{at:016x}", set_id=SET, state=state, **changes) for at, state in enumerate(states)]


def listing(*jobs: Job, whose: str = SERVER, page: int = 0) -> str:
    readable = frozenset(job.id for job in jobs)
    shown = Shown(
        JobPage(jobs, more=False),
        ListQuery(whose, page),
        manager=True,
        reads=readable,
        decides=True,
        posted=PostedResults({}, frozenset()),
        note="",
        ways={},
    )
    return words(jobs_panel(shown, NAMES))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"state": JobState.PENDING, "private": True},
            "Moderators see this request, although the result is private. Cancel it if you don't want that.",
        ),
        ({"state": JobState.REVIEWING, "private": True}, "A moderator looks at the result before you"),
        (
            {"state": JobState.SUBMITTING, "cancel_told": True},
            "Sending it to Studii… It will be cancelled if Studii doesn't take it.",
        ),
        ({"state": JobState.SUCCEEDED, "finished_at": NOON + timedelta(minutes=3)}, "Done in 3 min"),
    ],
)
def test_progress_says_what_a_job_waits_for_and_how_long_it_took(changes: dict[str, Any], said: str) -> None:
    assert said in progress_words(staging(**changes))


def test_a_job_that_takes_longer_than_usual_says_so() -> None:
    job = staging(state=JobState.RUNNING, submitted_at=NOON)
    assert "taking longer than usual" in words(progress_panel([job], NAMES, Progress(late=True)))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (JobState.WAITING, "· in the queue ·"),
        (JobState.UPLOADING, "· being sent ·"),
        (JobState.SUBMITTING, "· being sent ·"),
        (JobState.RUNNING, "· running ·"),
        (JobState.REVIEWING, "· result waiting for approval ·"),
    ],
)
def test_the_list_says_the_state_of_each_job(state: JobState, said: str) -> None:
    assert said in listing(staging(state=state))


@pytest.mark.parametrize(
    ("whose", "page", "said"),
    [
        (MINE, 0, "You haven't made anything here yet."),
        (SERVER, 0, "No one has made anything here yet."),
        (UNPOSTED, 0, "No results are waiting for a moderator, and none were declined."),
        (SERVER, 3, "This page is empty now."),
    ],
)
def test_an_empty_list_says_what_there_is_none_of(whose: str, page: int, said: str) -> None:
    assert said in listing(whose=whose, page=page)


def test_the_progress_of_a_set_counts_its_photos_by_what_became_of_them() -> None:
    jobs = a_set(*[JobState.PENDING] * 2, JobState.WITHHELD, JobState.UNKNOWN)
    shown = words(progress_panel(jobs, NAMES, Progress()))
    assert "**2 to be approved · 1 not posted · 1 unknown**" in shown
    assert "4. ❔ room.png: outcome unknown" in shown


def test_the_progress_of_a_set_has_room_for_the_longest_of_its_lines() -> None:
    for state in JobState:
        for private in (False, True):
            photos = a_set(*[state] * 10, private=private, result_message_id=10**18)
            assert f"10. {sign_of(photos[0])} room.png: " in words(progress_panel(photos, NAMES, Progress()))


def test_the_progress_of_a_private_set_says_that_moderators_see_it() -> None:
    jobs = a_set(*[JobState.PENDING] * 2, private=True, approval=Approval.WANTED)
    shown = words(progress_panel(jobs, NAMES, Progress()))
    assert "1. 🛂 room.png: Waiting for a moderator to approve it.\n2." in shown
    assert "Although these are private, moderators see the requests before they start." in shown


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (JobState.FAILED, "❌ <@300>, your **Virtual staging** job failed."),
        (JobState.CANCELLED, "🚫 <@300>, your **Virtual staging** job was cancelled."),
        (JobState.UNKNOWN, "An admin can settle it with `/jobs`."),
    ],
)
def test_a_set_of_which_nothing_came_says_why(state: JobState, said: str) -> None:
    jobs = a_set(state, state)
    parts = tuple(Part(job, number, output=None) for number, job in enumerate(jobs, 1))
    panel = ending(EndOfJobs(parts, tuple(jobs)), NAMES, "Harbour")
    assert said in words(panel)
    assert labels_of(panel) == ["Delete"]
