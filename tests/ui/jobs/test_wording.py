"""Each state of a job and of a set, and of the list of them, as progress, lines and messages say it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from bot.jobs.models import Approval, FailureCode, Job, JobState, Progress, SourcePhoto
from bot.jobs.results import EndOfJobs, Part
from bot.reasons import Reason, ReasonCode
from bot.ui.jobs.listing import MINE, SERVER, UNPOSTED, ListQuery, Shown, Whose, jobs_panel
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.result import ending, linked_video
from bot.ui.jobs.wording import can_play
from bot.ui.reading.pictures import PostedResults
from tests.support.clock import NOON
from tests.support.desk import labels, pieces, texts
from tests.support.jobs import staging
from tests.support.panels import CATALOG, alone, progress_words, shown_with

SET = "00000000000000aa"


@pytest.mark.parametrize(
    ("changes", "position", "expected"),
    [
        (
            {"state": JobState.PENDING, "private": True},
            None,
            "Moderators see this request, although the result is private.",
        ),
        ({"state": JobState.REVIEWING, "private": True}, None, "A moderator looks at the result before you"),
        (
            {"state": JobState.SUBMITTING, "cancel_told": True},
            None,
            "Sending it to Studii… It will be cancelled if Studii doesn't take it.",
        ),
        ({"state": JobState.SUCCEEDED, "finished_at": NOON + timedelta(minutes=3)}, None, "Done in 3 min"),
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
        # What the catalogue has lost, and what can't be seen.
        ({"tool": "sky-swap"}, None, "### 🪄 sky-swap"),
        ({"inputs": {"style": "\u200b", "room": "living"}}, None, "style **…** · room **living room**"),
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
            Progress(late=True),
            "✨ Studii is working on it · started <t:1772452800:R> · taking longer than usual",
        ),
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
    assert expected in texts(progress_panel([staging(**changes)], CATALOG, progress)).splitlines()


def test_progress_says_where_the_result_is() -> None:
    by_dm = staging(state=JobState.SUCCEEDED, announced_at=NOON, result_by_dm=True)
    assert "I sent it to you by direct message" in progress_words(by_dm)
    posted = staging(state=JobState.SUCCEEDED, announced_at=NOON, result_message_id=5)
    assert "[see the result](https://discord.com/channels/100/200/5)" in progress_words(posted)
    assert "[see" not in progress_words(staging(state=JobState.FAILED, announced_at=NOON))
    kept = staging(state=JobState.SUCCEEDED, output_file="x.png", announced_at=NOON)  # couldn't be posted
    assert "Get it with `/jobs`" in progress_words(kept)
    for changed in ({"result_message_id": 5}, {"output_file": None}, {"announced_at": None}):
        assert "/jobs" not in progress_words(replace(kept, **changed))


def a_set(*states: JobState, **changes: Any) -> list[Job]:
    photos = [
        SourcePhoto(f"https://cdn.example/{at}.png", "room.png", "image/png", 9) for at in range(len(states))
    ]
    return [
        staging(**{"id": f"{at:016x}", "set_id": SET, "state": state, "source": photos[at], **changes})
        for at, state in enumerate(states)
    ]


def listing(*jobs: Job, whose: Whose = SERVER, page: int = 0) -> str:
    readable = frozenset(job.id for job in jobs)
    shown = Shown(
        jobs,
        older=False,
        query=ListQuery(whose, page),
        manager=True,
        reads=readable,
        decides=True,
        posted=PostedResults({}, frozenset()),
        addresses={},
        note="",
        ways={},
    )
    return texts(jobs_panel(shown, CATALOG))


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
def test_an_empty_list_says_what_there_is_none_of(whose: Whose, page: int, said: str) -> None:
    assert said in listing(whose=whose, page=page)


def test_the_progress_of_a_private_set_says_that_moderators_see_it() -> None:
    jobs = a_set(*[JobState.PENDING] * 2, private=True, approval=Approval.WANTED)
    shown = texts(progress_panel(jobs, CATALOG, Progress()))
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
    panel = ending(EndOfJobs(parts, tuple(jobs)), CATALOG, "Harbour")
    assert said in texts(panel)
    assert labels(panel) == ["Delete"]


@pytest.mark.promise
@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN])
def test_an_ending_says_to_whom_of_what_and_what_it_cost(state: JobState) -> None:
    job = staging(state=state, failure_text=Reason.text("The photo was broken."), reserved=0, settled=8)
    told = texts(ending(alone(job), CATALOG, "Harbour")).splitlines()
    assert "<@300>" in told[0]
    assert "-# style **modern** · room **living room** · " in "\n".join(told)
    assert told[-1] == "-# Server: Harbour"
    assert state is JobState.CANCELLED or told[1] == "The photo was broken."


@pytest.mark.promise
def test_a_prompt_that_studii_refused_and_charged_can_be_edited_and_again_says_what_it_may_cost() -> None:
    failed = staging(state=JobState.FAILED, failure=FailureCode.STUDII, reserved=0, settled=8)
    panel = progress_panel([failed], CATALOG, Progress())
    assert labels(panel) == ["Edit", "Run again · about 8 credits"]
    assert "Charged 8 credits.\n-# Running it again may be charged again." in texts(panel)
    assert "Running it again may be charged again." in texts(ending(alone(failed), CATALOG, "Harbour"))
    assert "may be charged again" not in progress_words(replace(failed, settled=0))


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
    shown = progress_words(failed)
    assert "[Open the picture](<https://files.example/out.png>)" in shown
    assert "Charged 8 credits." in shown
    assert "Open" not in progress_words(replace(failed, output_url=None))


def test_without_a_file_and_without_a_usable_link_the_result_says_so() -> None:
    job = staging(state=JobState.SUCCEEDED, output_url="javascript:alert(1)")
    shown = shown_with(job, why="Its file was not kept.")
    assert "There's no link to it either." in texts(shown)
    assert "javascript" not in str(shown.to_components())


@pytest.mark.promise
@pytest.mark.parametrize(
    ("failure", "buttons"),
    [
        (FailureCode.API, ["Run again"]),
        (FailureCode.UPLOAD, ["Run again"]),
        (FailureCode.STUDII, ["Edit", "Run again"]),
        (FailureCode.INPUTS, ["Edit"]),
        (FailureCode.PLAN, ["Edit"]),
        (FailureCode.PHOTO, []),
    ],
)
def test_what_may_work_the_next_time_is_run_again_and_what_its_inputs_failed_is_edited(
    failure: FailureCode, buttons: list[str]
) -> None:
    panel = progress_panel([staging(state=JobState.FAILED, failure=failure)], CATALOG, Progress())
    assert [label.split(" · ")[0] for label in labels(panel)] == buttons


# Whatever a job holds, Discord takes what is shown of it

LONG = st.text(max_size=3000)
URLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["https://files.example/out.png", "http://127.0.0.1:9/o", "javascript:alert(1)", "", "https://[x"]
    ),
    st.integers(1, 6000).map(lambda length: "https://files.example/" + "k" * length),
)


# Also as another version of the bot may have kept them.
REASONS = st.builds(
    Reason,
    st.sampled_from(ReasonCode) | st.just("of_tomorrow"),
    st.dictionaries(
        st.sampled_from(
            [
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
        ),
        st.booleans() | st.integers() | st.floats() | LONG,
    ),
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


@pytest.mark.promise
@settings(max_examples=50)
@given(jobs(), st.none() | st.integers(1, 10_000))
def test_whatever_a_job_holds_discord_takes_what_is_shown_of_it(job: Job, position: int | None) -> None:
    photos = [job.source and replace(job.source, url=f"https://cdn.example/{at}") for at in range(10)]
    of_a_set = [replace(job, id=f"{at:016x}", set_id=SET, source=photo) for at, photo in enumerate(photos)]
    for panel in (
        progress_panel([job], CATALOG, Progress(position)),
        shown_with(job, "out.png"),
        ending(alone(job), CATALOG, "Harbour"),
        progress_panel(of_a_set, CATALOG, Progress(), last=True),
        shown_with(job, why="It is too large."),
    ):
        components = list(pieces(panel))
        texts = [piece["content"] for piece in components if piece["type"] == 10]
        assert all(texts)
        assert sum(map(len, texts)) <= 4000
        assert len(components) <= 40
        for piece in components:
            assert len(piece.get("url") or "") <= 512
            for item in piece.get("items", ()):
                assert 0 < len(item["description"]) <= 256
    if can_play(job):
        _, said = linked_video(alone(job), CATALOG, "It is too large.", disclosure="", by_dm=False)
        assert len(said) <= 2000
