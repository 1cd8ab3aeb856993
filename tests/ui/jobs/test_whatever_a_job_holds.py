"""Whatever a job holds, Discord takes what is shown of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings, strategies as st

from bot.jobs.models import Job, JobState, Progress
from bot.reasons import Reason, ReasonCode
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.result import ending, linked_video
from bot.ui.jobs.wording import can_play
from tests.support.clock import NOON
from tests.support.jobs import staging
from tests.support.panels import CATALOG, NAMES, alone, pieces_of, shown_with

SET = "00000000000000aa"
LONG = st.text(max_size=3000)
URLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["https://files.example/out.png", "http://127.0.0.1:9/o", "javascript:alert(1)", "", "https://[x"]
    ),
    st.integers(1, 6000).map(lambda length: "https://files.example/" + "k" * length),
)


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


@pytest.mark.promise
@settings(max_examples=50)
@given(jobs(), st.none() | st.integers(1, 10_000))
def test_whatever_a_job_holds_discord_takes_what_is_shown_of_it(job: Job, position: int | None) -> None:
    shown = [
        progress_panel([job], NAMES, Progress(position)),
        shown_with(job, "out.png"),
        ending(alone(job), NAMES, "Harbour"),
        progress_panel(
            [replace(job, id=f"{number:016x}", set_id=SET) for number in range(10)], NAMES, Progress()
        ),
    ]
    for panel in [*shown, shown_with(job, why="It is too large.")]:
        components = list(pieces_of(panel.to_components()))
        texts = [piece["content"] for piece in components if piece["type"] == 10]
        assert all(texts)
        assert sum(map(len, texts)) <= 4000
        assert len(components) <= 40
        for piece in components:
            assert len(piece.get("url") or "") <= 512
            for item in piece.get("items", ()):
                assert 0 < len(item["description"]) <= 256
    if can_play(job):
        _, said = linked_video(alone(job), NAMES, "It is too large.", disclosure="", by_dm=False)
        assert len(said) <= 2000
