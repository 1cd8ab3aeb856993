import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from bot.catalog import Catalog
from bot.domain import FailureCode, Job, JobState, Progress, SourcePhoto
from bot.reasons import Reason, ReasonCode
from bot.ui.jobs.card import job_card
from bot.ui.jobs.links import can_play
from bot.ui.jobs.result import ending, linked_result, linked_video, result
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import Panel
from tests.support.clock import NOON
from tests.support.jobs import staging
from tests.support.pseudo.boundary import shown_by

CATALOG = Catalog.load()
NAMES = ToolNames(CATALOG)
ENDINGS = [JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN]
LONG = st.text(max_size=3000)
URLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["https://files.example/out.png", "http://127.0.0.1:9/o", "javascript:alert(1)", "", "https://[x"]
    ),
    st.integers(1, 6000).map(lambda length: "https://files.example/" + "k" * length),
)


def words(panel: Panel) -> str:
    return "\n".join(piece["content"] for piece in _walk(shown_by(panel)) if piece["type"] == 10)


def card_words(job: Job, position: int | None = None) -> str:
    return words(job_card(job, NAMES, Progress(position)))


def _walk(components: Any) -> Iterator[Mapping[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components", ()))


ARGUMENTS = st.booleans() | st.integers() | st.floats() | LONG
NAMES_OF = [
    "text",
    "detail",
    "kind",
    "price",
    "reserved",
    "width",
    "height",
    "size",
    "most",
    "limit",
    "photo",
]
# Also as another version of the bot may have kept them.
REASONS = st.builds(
    Reason,
    st.sampled_from(ReasonCode) | st.just("of_tomorrow"),
    st.dictionaries(st.sampled_from(NAMES_OF), ARGUMENTS),
)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    tool = draw(st.sampled_from([*CATALOG.tools, "a-tool-of-yesterday"]))
    names = [one.name for one in CATALOG.tools[tool].inputs] if tool in CATALOG.tools else ["prompt", "depth"]
    return staging(
        tool=tool,
        inputs=draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, LONG))),
        source=draw(st.sampled_from([None, staging().source])),
        state=draw(st.sampled_from(JobState)),
        held=draw(st.none() | REASONS),
        failure_text=draw(st.none() | REASONS),
        studii_status=draw(st.none() | LONG),
        output_url=draw(URLS),
        output_kind=draw(st.sampled_from([None, "image", "video"])),
        charged=draw(st.none() | st.integers(0, 10**6)),
        submitted_at=draw(st.sampled_from([None, NOON])),
        finished_at=draw(st.sampled_from([None, NOON + timedelta(days=3)])),
        result_message_id=draw(st.sampled_from([None, 400])),
    )


@settings(max_examples=50)
@given(jobs(), st.none() | st.integers(1, 10_000))
def test_whatever_a_job_holds_discord_takes_what_is_shown_of_it(job: Job, position: int | None) -> None:
    shown = [job_card(job, NAMES, Progress(position)), result(job, NAMES, "out.png"), ending(job, NAMES)]
    for panel in [*shown, linked_result(job, NAMES, "It is too large.")]:
        components = list(_walk(panel.to_components()))
        texts = [piece["content"] for piece in components if piece["type"] == 10]
        assert all(texts)
        assert sum(map(len, texts)) <= 4000
        assert len(components) <= 40
        for piece in components:
            assert len(piece.get("url") or "") <= 512
            for item in piece.get("items", ()):
                assert 0 < len(item["description"]) <= 256
    if can_play(job):
        assert len(linked_video(job, NAMES, "It is too large.")) <= 2000


def test_an_address_that_would_end_the_spoiler_that_it_is_behind_is_not_shown() -> None:
    hidden = SourcePhoto("https://cdn.discordapp.com/a/b.png", "SPOILER_b.png", "image/png", 9)
    job = staging(
        source=hidden,
        state=JobState.SUCCEEDED,
        output_kind="video",
        output_url="https://x.example/a||b.mp4",
    )
    assert not can_play(job)
    assert "x.example" not in str(linked_result(job, NAMES, "It is too large.").to_components())


def test_values_in_which_nothing_is_seen_leave_no_marks() -> None:
    job = staging(inputs={"style": "\u200b", "room": "living"})
    assert "style **…** · room **living room**" in card_words(job)


def test_a_card_says_what_was_asked_by_whom() -> None:
    shown = card_words(staging())
    assert "### 🛋️ Virtual staging" in shown
    assert "<@300> · style **modern** · room **living room**" in shown


def test_a_long_prompt_is_quoted_and_shortened() -> None:
    job = staging(
        tool="studio", inputs={"prompt": "fog " * 400, "mode": "image", "source": "text"}, source=None
    )
    shown = card_words(job)
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
def test_a_card_says_what_is_going_on(changes: dict[str, Any], position: int | None, expected: str) -> None:
    assert expected in card_words(staging(**changes), position)


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
def test_times_on_a_card_are_those_that_are_known(
    changes: dict[str, Any], progress: Progress, expected: str
) -> None:
    assert expected in words(job_card(staging(**changes), NAMES, progress)).splitlines()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price_learned": False}, "8 credits reserved (estimate)"),
        ({"price_learned": True}, "8 credits reserved (from past charges)"),
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
def test_a_card_says_what_it_costs(changes: dict[str, Any], expected: str) -> None:
    assert card_words(staging(**changes)).splitlines()[-1] == f"-# {expected}"


@pytest.mark.parametrize("state", ENDINGS)
def test_an_ending_says_the_same_as_its_card(state: JobState) -> None:
    job = staging(state=state, failure_text=Reason.text("The photo was broken."), reserved=0, settled=8)
    told, card = words(ending(job, NAMES)).splitlines(), card_words(job).splitlines()
    assert "<@300>" in told[0]
    # It carries what the card said: who, what was asked for, and what it cost.
    assert told[-1] == f"-# style **modern** · room **living room** · {card[-1].removeprefix('-# ')}"
    assert state is JobState.CANCELLED or told[1] in card[-2]


def test_a_prompt_that_studii_refused_and_charged_can_be_edited_and_again_says_what_it_may_cost() -> None:
    failed = staging(state=JobState.FAILED, failure=FailureCode.STUDII, reserved=0, settled=8)
    free, ours = dataclasses.replace(failed, settled=0), dataclasses.replace(failed, failure=FailureCode.API)
    panel = ending(failed, NAMES)
    assert _labels(panel) == ["Edit", "Run again · about 8 credits", "Delete"]
    assert "Charged 8 credits.\n-# Running it again may be charged again." in words(panel)
    assert "may be charged again" not in words(ending(free, NAMES))
    assert _labels(ending(ours, NAMES)) == ["Run again · about 8 credits", "Delete"]


def _labels(panel: Panel) -> list[str]:
    return [piece["label"] for piece in _walk(shown_by(panel)) if piece["type"] == 2]


def test_a_result_names_its_settings_for_those_who_cannot_see_it() -> None:
    job = staging(tool="studio", inputs={"prompt": "A red kite", "mode": "image"}, source=None)
    (gallery,) = (piece for piece in shown_by(result(job, NAMES, "kite.png")) if piece["type"] == 12)
    (item,) = gallery["items"]
    assert item["media"]["url"] == "attachment://kite.png"
    assert item["description"] == "Studio: A red kite (mode image)"


def test_a_tool_that_the_catalogue_has_lost_is_shown_by_its_slug() -> None:
    assert "### 🪄 sky-swap" in card_words(dataclasses.replace(staging(), tool="sky-swap"))


def test_the_card_of_a_result_that_could_not_be_posted_says_where_it_is() -> None:
    kept = staging(state=JobState.SUCCEEDED, output_file="x.png", announced_at=NOON)
    assert "Get it with `/jobs`" in card_words(kept)
    for posted in ({"result_message_id": 5}, {"output_file": None}, {"announced_at": None}):
        assert "/jobs" not in card_words(dataclasses.replace(kept, **posted))


def test_a_card_that_stays_says_where_the_last_word_is() -> None:
    by_dm = staging(state=JobState.SUCCEEDED, announced_at=NOON, result_by_dm=True)
    assert "I sent it to <@300> by direct message" in card_words(by_dm)
    posted = {"announced_at": NOON, "result_message_id": 5}
    link = "https://discord.com/channels/100/200/5"
    assert f"[see the message]({link})" in card_words(staging(state=JobState.UNKNOWN, **posted))
    assert f"[see the result]({link})" in card_words(staging(state=JobState.SUCCEEDED, **posted))
    assert "[see" not in card_words(staging(state=JobState.FAILED, announced_at=NOON))


def test_a_paid_result_that_could_not_be_fetched_is_linked_with_its_charge() -> None:
    failed = staging(
        state=JobState.FAILED,
        failure=FailureCode.OUTPUT,
        failure_text=Reason.text("It could not be fetched."),
        output_url="https://files.example/out.png",
        output_kind="image",
        settled=8,
    )
    shown = words(ending(failed, NAMES))
    assert "[Open the picture](<https://files.example/out.png>)" in shown
    assert "Charged 8 credits." in shown
    assert "Open" not in words(ending(dataclasses.replace(failed, output_url=None), NAMES))


def test_without_a_file_and_without_a_usable_link_the_result_says_so() -> None:
    job = staging(state=JobState.SUCCEEDED, output_url="javascript:alert(1)")
    shown = words(linked_result(job, NAMES, "Its file was not kept."))
    assert "There's no link to it either." in shown
    assert "javascript" not in str(linked_result(job, NAMES, "Its file was not kept.").to_components())
