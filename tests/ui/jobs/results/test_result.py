import dataclasses

import pytest

from bot.jobs.models import FailureCode, JobState, Progress, SourcePhoto
from bot.reasons import Reason
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.results.links import can_play
from bot.ui.jobs.results.result import ending
from tests.support.jobs import staging
from tests.support.panels import NAMES, alone, labels_of, shown_with, words


@pytest.mark.promise
@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN])
def test_an_ending_says_to_whom_of_what_and_what_it_cost(state: JobState) -> None:
    job = staging(state=state, failure_text=Reason.text("The photo was broken."), reserved=0, settled=8)
    told = words(ending(alone(job), NAMES, "Harbour")).splitlines()
    assert "<@300>" in told[0]
    assert "-# style **modern** · room **living room** · " in "\n".join(told)
    assert told[-1] == "-# Server: Harbour"
    assert state is JobState.CANCELLED or told[1] == "The photo was broken."


@pytest.mark.promise
def test_a_prompt_that_studii_refused_and_charged_can_be_edited_and_again_says_what_it_may_cost() -> None:
    failed = staging(state=JobState.FAILED, failure=FailureCode.STUDII, reserved=0, settled=8)
    free, ours = dataclasses.replace(failed, settled=0), dataclasses.replace(failed, failure=FailureCode.API)
    panel = progress_panel([failed], NAMES, Progress())
    assert labels_of(panel) == ["Edit", "Run again · about 8 credits"]
    assert "Charged 8 credits.\n-# Running it again may be charged again." in words(panel)
    assert "Running it again may be charged again." in words(ending(alone(failed), NAMES, "Harbour"))
    assert "may be charged again" not in words(progress_panel([free], NAMES, Progress()))
    assert labels_of(progress_panel([ours], NAMES, Progress())) == ["Run again · about 8 credits"]


def test_a_result_names_its_settings_for_those_who_cannot_see_it() -> None:
    job = staging(tool="studio", inputs={"prompt": "A red kite", "mode": "image"}, source=None)
    (gallery,) = (piece for piece in shown_with(job, "kite.png").to_components() if piece["type"] == 12)
    (item,) = gallery["items"]
    assert item["media"]["url"] == "attachment://kite.png"
    assert item["description"] == "Studio: A red kite (mode image)"


def test_an_address_that_would_end_the_spoiler_that_it_is_behind_is_not_shown() -> None:
    hidden = SourcePhoto("https://cdn.discordapp.com/a/b.png", "SPOILER_b.png", "image/png", 9)
    job = staging(
        source=hidden,
        state=JobState.SUCCEEDED,
        output_kind="video",
        output_url="https://x.example/a||b.mp4",
    )
    assert not can_play(job)
    assert "x.example" not in str(shown_with(job, why="It is too large.").to_components())


def test_a_paid_result_that_could_not_be_fetched_is_linked_with_its_charge() -> None:
    failed = staging(
        state=JobState.FAILED,
        failure=FailureCode.OUTPUT,
        failure_text=Reason.text("It could not be fetched."),
        output_url="https://files.example/out.png",
        output_kind="image",
        settled=8,
    )
    shown = words(progress_panel([failed], NAMES, Progress()))
    assert "[Open the picture](<https://files.example/out.png>)" in shown
    assert "Charged 8 credits." in shown
    assert "Open" not in words(
        progress_panel([dataclasses.replace(failed, output_url=None)], NAMES, Progress())
    )


def test_without_a_file_and_without_a_usable_link_the_result_says_so() -> None:
    job = staging(state=JobState.SUCCEEDED, output_url="javascript:alert(1)")
    linked = shown_with(job, why="Its file was not kept.")
    shown = words(linked)
    assert "There's no link to it either." in shown
    assert "javascript" not in str(shown_with(job, why="Its file was not kept.").to_components())
