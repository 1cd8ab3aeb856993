import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from bot.jobs.models import JobState, Progress
from bot.reasons import Reason
from bot.ui.jobs.progress import progress_panel
from tests.support.clock import NOON
from tests.support.jobs import staging
from tests.support.panels import NAMES, progress_words, words


def test_values_in_which_nothing_is_seen_leave_no_marks() -> None:
    job = staging(inputs={"style": "\u200b", "room": "living"})
    assert "style **…** · room **living room**" in progress_words(job)


def test_progress_says_what_was_asked() -> None:
    shown = progress_words(staging())
    assert "### 🛋️ Virtual staging" in shown
    assert "-# style **modern** · room **living room**" in shown


def test_a_long_prompt_is_quoted_and_shortened() -> None:
    job = staging(
        tool="studio", inputs={"prompt": "fog " * 400, "mode": "image", "source": "text"}, source=None
    )
    shown = progress_words(job)
    assert "> fog fog" in shown
    assert "…" in shown
    assert "source" not in shown


@pytest.mark.parametrize(
    ("changes", "position", "expected"),
    [
        ({"state": JobState.RECEIVED}, None, "Fetching your photo…"),
        ({"state": JobState.WAITING}, 1, "Next in the queue…"),
        ({"state": JobState.WAITING}, 3, "Number 3 in the queue…"),
        (
            {"state": JobState.WAITING, "held": Reason.text("Studii refused the server's key.")},
            3,
            "Studii refused the server's key.",
        ),
        ({"state": JobState.UPLOADING}, None, "Sending your photo to Studii…"),
        (
            {"state": JobState.RUNNING, "submitted_at": NOON},
            None,
            "working on it · started <t:1772452800:R>",
        ),
        ({"state": JobState.RUNNING, "studii_status": "queued"}, None, "Queued at Studii"),
        ({"state": JobState.RUNNING, "studii_status": "upscaling"}, None, "working on it (upscaling)"),
        (
            {"state": JobState.RUNNING, "studii_status": "completed"},
            None,
            "✨ Fetching the result from Studii…",
        ),
        ({"state": JobState.SUCCEEDED, "finished_at": NOON + timedelta(seconds=14)}, None, "Done in 14 s"),
        (
            {"state": JobState.SUCCEEDED, "finished_at": NOON + timedelta(seconds=90)},
            None,
            "Done in 1 min 30 s",
        ),
        (
            {"state": JobState.FAILED, "failure_text": Reason.text("The photo was broken.")},
            None,
            "The photo was broken.",
        ),
        ({"state": JobState.CANCELLED}, None, "Cancelled."),
        ({"state": JobState.UNKNOWN}, None, "it's not clear yet whether this was charged"),
    ],
)
def test_progress_says_what_is_going_on(changes: dict[str, Any], position: int | None, expected: str) -> None:
    assert expected in progress_words(staging(**changes), position)


SOON = NOON + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("changes", "progress", "expected"),
    [
        # What is not known is not said.
        ({"state": JobState.WAITING}, Progress(), "⏳ Waiting to start…"),
        ({"state": JobState.WAITING}, Progress(4), "⏳ Number 4 in the queue…"),
        (
            {"state": JobState.WAITING},
            Progress(4, SOON),
            "⏳ Number 4 in the queue · expected to start <t:1772452890:R>",
        ),
        (
            {"state": JobState.WAITING},
            Progress(2, waits_for_price=True),
            "⏳ Number 2 in the queue · another job runs first, to learn the price",
        ),
        (
            {"state": JobState.WAITING},
            Progress(4, SOON, waits_for_price=True),
            "⏳ Number 4 in the queue · expected to start <t:1772452890:R> "
            "· another job runs first, to learn the price",
        ),
        (
            {"state": JobState.WAITING},
            Progress(1, SOON),
            "⏳ Next in the queue · expected to start <t:1772452890:R>",
        ),
        ({"state": JobState.RUNNING}, Progress(), "✨ Studii is working on it"),
        (
            {"state": JobState.RUNNING, "submitted_at": NOON},
            Progress(),
            "✨ Studii is working on it · started <t:1772452800:R>",
        ),
        (
            {"state": JobState.RUNNING, "submitted_at": NOON},
            Progress(ends_at=SOON),
            "✨ Studii is working on it · started <t:1772452800:R> · expected <t:1772452890:R>",
        ),
        (
            {"state": JobState.RUNNING, "submitted_at": NOON, "studii_status": "queued"},
            Progress(ends_at=SOON),
            "✨ Queued at Studii · started <t:1772452800:R> · expected <t:1772452890:R>",
        ),
    ],
)
def test_times_are_those_that_are_known(changes: dict[str, Any], progress: Progress, expected: str) -> None:
    assert expected in words(progress_panel([staging(**changes)], NAMES, progress)).splitlines()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price_learned": False}, "8 credits reserved (estimate)"),
        ({"price_learned": True}, "8 credits reserved (last price)"),
        ({}, "8 credits reserved (estimate)"),
        ({"state": JobState.RUNNING, "charged": 12, "reserved": 12}, "12 credits"),
        ({"state": JobState.SUCCEEDED, "reserved": 0, "settled": 12}, "12 credits"),
        ({"state": JobState.FAILED, "reserved": 0}, "Not charged."),
        (
            {"state": JobState.FAILED, "reserved": 0, "settled": 8},
            "Charged 8 credits.",
        ),
        ({"state": JobState.CANCELLED, "reserved": 0}, "Not charged."),
        ({"state": JobState.UNKNOWN}, "8 credits reserved until it's settled."),
    ],
)
def test_progress_says_what_it_costs(changes: dict[str, Any], expected: str) -> None:
    assert progress_words(staging(**changes)).splitlines()[-1] == f"-# {expected}"


def test_a_tool_that_the_catalogue_has_lost_is_shown_by_its_slug() -> None:
    assert "### 🪄 sky-swap" in progress_words(dataclasses.replace(staging(), tool="sky-swap"))


def test_the_progress_of_a_result_that_could_not_be_posted_says_where_it_is() -> None:
    kept = staging(state=JobState.SUCCEEDED, output_file="x.png", announced_at=NOON)
    assert "Get it with `/jobs`" in progress_words(kept)
    for posted in ({"result_message_id": 5}, {"output_file": None}, {"announced_at": None}):
        assert "/jobs" not in progress_words(dataclasses.replace(kept, **posted))


def test_progress_says_where_the_result_is() -> None:
    by_dm = staging(state=JobState.SUCCEEDED, announced_at=NOON, result_by_dm=True)
    assert "I sent it to you by direct message" in progress_words(by_dm)
    posted = {"announced_at": NOON, "result_message_id": 5}
    link = "https://discord.com/channels/100/200/5"
    assert f"[see the result]({link})" in progress_words(staging(state=JobState.SUCCEEDED, **posted))
    assert "[see" not in progress_words(staging(state=JobState.FAILED, announced_at=NOON))
