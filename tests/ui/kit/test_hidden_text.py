"""Nobody reads something else than what is there: in cards, results, alternative texts, forms and logs."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from bot.catalog import Catalog
from bot.jobs.models import JobState
from bot.media.spool import OutputFile
from bot.reasons import Reason
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.posts import tell_end

RLO, ZWSP, ISOLATE = "\u202e", "\u200b", "\u2066"
HIDDEN = set(RLO + ZWSP + ISOLATE)
PROMPT = f"A {RLO}etik{ZWSP} by{ISOLATE} me 👩\u200d🚀 می\u200cخواهم"
SHOWN = "A etik by me 👩\u200d🚀 می\u200cخواهم"
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


def raw(shown: Any) -> str:
    return json.dumps(shown, ensure_ascii=False, default=str)


def labels(form: Any) -> list[Any]:
    """What a form shows beside the fields that hold what was typed, as it was typed."""
    shown = [one["label"] for one in form["components"]]
    fields = [one["component"] for one in form["components"]]
    return [shown, [option["label"] for field in fields for option in field.get("options", ())]]


@pytest.mark.promise
async def test_what_was_typed_goes_to_studii_and_what_is_seen_of_it_is_shown(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    card = await desk.maya.slash(desk.channel, "studio", prompt=PROMPT, quality=f"fine{RLO}")
    job = await desk.job()
    assert job.inputs["prompt"] == PROMPT
    assert job.inputs["quality"] == f"fine{RLO}"
    job = await desk.move(job, *DONE, finished_at=desk.clock.now())
    file = tmp_path / "out.png"
    file.write_bytes(PNG)
    await tell_end(desk.delivery, job, OutputFile(file, "image", "image/png", len(PNG)))
    result = desk.channel.history()[-1]
    for shown in (card, result):
        assert SHOWN in texts(shown)
        assert "**fine**" in texts(shown)
        assert not set(raw(pieces(shown))) & HIDDEN
    assert SHOWN in raw(pieces(result))  # the alternative text is no text of the message
    form = await desk.maya.click(result, label="Edit")
    assert form.modal is not None
    assert not set(raw(labels(form.modal))) & HIDDEN
    assert "etik" not in caplog.text
    assert not set(caplog.text) & HIDDEN


@pytest.mark.promise
async def test_words_of_studii_hide_nothing(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    # As an earlier version kept it.
    text = f"Studii couldn't finish this job: “No{ZWSP} such{RLO} style.”"
    job = await desk.move(await desk.job(), *DONE[:3], JobState.FAILED, failure_text=Reason.text(text))
    told = await desk.told(job)
    assert "“No such style.”" in texts(told)
    assert not set(texts(told)) & HIDDEN


def test_a_prompt_in_which_nothing_is_seen_is_none() -> None:
    studio = Catalog.load().get("studio")
    with pytest.raises(Exception, match="needs `prompt`"):
        studio.prepare({"prompt": f"{ZWSP}{RLO}"}, has_source=False)
