"""What people typed is shown safely: it pings no one, formats nothing, and hides nothing."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bot.catalog import Catalog
from bot.jobs.models import JobState
from bot.reasons import Reason
from bot.ui.kit.layout import plain, sentence, shortened
from bot.visible_text import visible
from tests.support.desk import DONE, Desk, pieces, texts
from tests.support.posts import tell_end
from tests.ui.jobs.results import files

# Text as people who mean mischief write it.
NASTY = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "@everyone",
                "@here",
                "<@&123456789012345678>",
                "<@!123456789012345678>",
                "<#1>",
                "<t:0:R>",
                "<:a:1>",
                "**",
                "`",
                "```",
                "~~",
                "[a](https://b.c)",
                "https://b.c",
                "\n# ",
                "\n> ",
                "\n- ",
                "\\",
                "1. ",
            ]
        ),
    ),
    max_size=30,
).map("".join)
# https://discord.com/developers/docs/reference#message-formatting
MENTION = re.compile(r"@everyone|@here|<@[!&]?\d+>|(?<!\\)<(?:#\d|t:|a?:\w|/\w|id:|https?:)")


@pytest.mark.promise
@given(NASTY)
def test_nothing_that_somebody_typed_pings_formats_or_becomes_a_link(typed: str) -> None:
    shown = plain(typed, 100)
    for one in (shown, re.sub(r"<t:\d+:R>", "", sentence(typed))):
        assert not MENTION.search(one)
        assert not re.search(r"(?<!\\)(?:\\\\)*\]\(", one)
    assert not re.search(r"https?://|\n", shown)
    # Every mark has an odd number of backslashes in front, so it is shown as it was typed.
    assert all(len(match[1]) % 2 == 1 for match in re.finditer(r"(\\*)[*_~`|<\[\]]", shown))
    assert not re.match(r"[#>+-]|\d[.)]\s", shown)


HIDDEN = "\u202e\u2066\u200b\u2060\ufeff\u00ad\u200f\x1b"


@given(st.text(st.sampled_from([*HIDDEN, *"ab @*<“”\n👩🚀\u200d"]), max_size=60), st.integers(2, 30))
def test_nothing_that_somebody_typed_is_hidden(typed: str, length: int) -> None:
    for shown in (shortened(typed, length), plain(typed, length), sentence(typed, length)):
        # The bot itself keeps mentions apart.
        assert not set(shown.replace("@\u200b", "@")) & set(HIDDEN)
        assert not shown.replace("…", "").endswith("\u200d")
    assert len(shortened(typed, length)) <= length


@given(NASTY, st.integers(2, 200))
def test_words_are_shown_whole_or_with_an_ellipsis(typed: str, length: int) -> None:
    line = " ".join(visible(typed).split())
    assert shortened(typed, length) == line if len(line) <= length else shortened(typed, length).endswith("…")
    assert len(shortened(typed, length)) <= length


def test_ordinary_words_stay_and_our_own_sentences_keep_their_code_marks_and_moments() -> None:
    for words in ("mid-century", "Ana's room, 2nd floor", "16:9", "half-past 8", "1.5x"):
        assert plain(words, 40) == words
    for words in ("Attach one as `image` and try again.", "It renews <t:1767268800:R>."):
        assert sentence(words) == words


@given(NASTY)
def test_what_our_own_sentences_quote_of_others_formats_nothing(typed: str) -> None:
    shown = sentence(f"Studii couldn't finish this job: “{typed}”", 5000)
    quoted = shown[shown.index("“") + 1 : shown.rindex("”")]
    assert all(len(match[1]) % 2 == 1 for match in re.finditer(r"(\\*)[*_~`|<\[\]]", quoted))
    assert not re.search(r"https?://", quoted)


def test_a_quotation_is_shown_as_it_was_written_and_our_own_words_around_it_as_ours() -> None:
    said = "Studii said: “Unknown `style`: *old* ”quoted” a_b_c”. Set a key with `/studii setup`."
    shown = sentence(said)
    assert "“Unknown \\`style\\`: \\*old\\* ”quoted” a\\_b\\_c”" in shown
    assert shown.endswith("Set a key with `/studii setup`.")


@given(NASTY)
def test_what_was_made_plain_stays_plain_in_a_sentence(typed: str) -> None:
    shown = plain(typed.replace("“", ""), 100)
    assert sentence(shown, 500).replace("\u200b", "") == shown.replace("\u200b", "")


RLO, ZWSP, ISOLATE = "\u202e", "\u200b", "\u2066"
PROMPT = f"A {RLO}etik{ZWSP} by{ISOLATE} me 👩\u200d🚀 می\u200cخواهم"
SHOWN = "A etik by me 👩\u200d🚀 می\u200cخواهم"


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
    answer = await desk.maya.slash(desk.channel, "studio", prompt=PROMPT, quality=f"fine{RLO}")
    job = await desk.job()
    assert (job.inputs["prompt"], job.inputs["quality"]) == (PROMPT, f"fine{RLO}")
    job = await desk.move(job, *DONE, finished_at=desk.clock.now())
    await tell_end(desk.delivery, job, files(tmp_path, before=False))
    result = desk.channel.history()[-1]
    for shown in (answer, result):
        assert SHOWN in texts(shown)
        assert "**fine**" in texts(shown)
        assert not set(raw(pieces(shown))) & {RLO, ZWSP, ISOLATE}
    assert SHOWN in raw(pieces(result))  # the alternative text is no text of the message
    form = await desk.maya.click(result, label="Edit")
    assert form.modal is not None
    assert not set(raw(labels(form.modal))) & {RLO, ZWSP, ISOLATE}
    assert "etik" not in caplog.text
    assert not set(caplog.text) & {RLO, ZWSP, ISOLATE}


@pytest.mark.promise
async def test_words_of_studii_hide_nothing(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    # As an earlier version kept it.
    text = f"Studii couldn't finish this job: “No{ZWSP} such{RLO} style.”"
    job = await desk.move(await desk.job(), *DONE[:3], JobState.FAILED, failure_text=Reason.text(text))
    told = await desk.told(job)
    assert "“No such style.”" in texts(told)
    assert not set(texts(told)) & {RLO, ZWSP, ISOLATE}


def test_a_prompt_in_which_nothing_is_seen_is_none() -> None:
    studio = Catalog.load().get("studio")
    with pytest.raises(Exception, match="needs `prompt`"):
        studio.prepare({"prompt": f"{ZWSP}{RLO}"}, has_source=False)
