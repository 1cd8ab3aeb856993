"""Sentences, numbers and dates in each language, and names of inputs and of their values."""

import asyncio
import json
import re
from datetime import date
from typing import Any

import pytest

from bot.catalog import Catalog
from bot.credits.budgets import credit_words
from bot.errors import Refused
from bot.languages import (
    Language,
    alternatives,
    and_list,
    day_words,
    decimal,
    gettext,
    known_language,
    lazy,
    ngettext,
    nlazy,
    number,
    or_list,
    paragraph,
    sentences,
    speaking,
    spoken,
    whole_number,
)
from bot.ui.help import public_panel
from bot.ui.kit.layout import named_value
from tests.support.desk import PNG, Desk, texts
from tests.support.messages import source_file
from tests.support.presses import app_in
from tests.support.settings import change


@pytest.mark.promise
@pytest.mark.parametrize(
    ("language", "whole", "part", "day", "listed"),
    [
        (Language.ENGLISH, "1,200", "24.1", "March 5", "a, b, and c"),
        (Language.GERMAN, "1.200", "24,1", "5. März", "a, b und c"),
        (Language.FRENCH, "1\u202f200", "24,1", "5 mars", "a, b et c"),
        (Language.SPANISH, "1200", "24,1", "5 de marzo", "a, b y c"),
        (Language.PORTUGUESE, "1.200", "24,1", "5 de março", "a, b e c"),
        (Language.JAPANESE, "1,200", "24.1", "3月5日", "a、b、c"),
    ],
)
def test_numbers_days_and_lists_are_written_as_the_language_does(
    language: Language, whole: str, part: str, day: str, listed: str
) -> None:
    with speaking(language):
        assert (number(1200), decimal(24.14)) == (whole, part)
        assert day_words(date(2026, 3, 5)) == day
        assert and_list(["a", "b", "c"]) == listed


@pytest.mark.promise
@pytest.mark.parametrize(
    ("language", "first", "short", "eleventh"),
    [
        (Language.ENGLISH, "March 1", "Mar 1", "March 11"),
        (Language.GERMAN, "1. März", "1. März", "11. März"),
        (Language.FRENCH, "1er mars", "1er mars", "11 mars"),
        (Language.SPANISH, "1 de marzo", "1 mar", "11 de marzo"),
        (Language.PORTUGUESE, "1º de março", "1º de mar.", "11 de março"),
        (Language.JAPANESE, "3月1日", "3月1日", "3月11日"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_where_the_language_says_so(
    language: Language, first: str, short: str, eleventh: str
) -> None:
    with speaking(language):
        assert (day_words(date(2026, 3, 1)), day_words(date(2026, 3, 1), short=True)) == (first, short)
        assert day_words(date(2026, 3, 11)) == eleventh


@pytest.mark.parametrize(
    ("items", "together", "instead"),
    [
        (["uno", "imagen"], "uno e imagen", "uno o imagen"),
        (["madre", "**hijo**"], "madre e **hijo**", "madre o **hijo**"),
        (["agua", "hielo"], "agua y hielo", "agua o hielo"),
        (["siete", "ocho"], "siete y ocho", "siete u ocho"),
        (["7", "8"], "7 y 8", "7 u 8"),
        (["mar", "hora"], "mar y hora", "mar u hora"),
        (["a", "<@8123>"], "a y <@8123>", "a o <@8123>"),
        (["imagen"], "imagen", "imagen"),
        (["a", "b", "isla"], "a, b e isla", "a, b o isla"),
    ],
)
def test_spanish_changes_and_and_or_before_the_same_sound(
    items: list[str], together: str, instead: str
) -> None:
    with speaking(Language.SPANISH):
        assert (and_list(items), or_list(items)) == (together, instead)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("language", "accepted", "refused"),
    [
        (
            Language.ENGLISH,
            ["1200", "1,200", "1 200", " 1'200 "],
            ["1.200", "1.5", "1,20", "12,00", "1,200 000"],
        ),
        (Language.GERMAN, ["1200", "1.200", "1,200", "1 200"], ["1.5", "1,5", "1.20", "1.200,5"]),
        (Language.FRENCH, ["1200", "1 200", "1\u202f200", "1\u00a0200", "1,200"], ["1,5", "1 2 0 0"]),
        (Language.SPANISH, ["1200", "1.200", "1 200", "1,200"], ["1.2", "-1200"]),
        (Language.PORTUGUESE, ["1200", "1.200", "1,200"], ["1.2", "1200,00"]),
        (Language.JAPANESE, ["1200", "1,200", "１２００", "１，２００"], ["1.5", "", "千二百"]),
    ],
)
def test_whole_numbers_are_read_as_the_language_writes_them(
    language: Language, accepted: list[str], refused: list[str]
) -> None:
    with speaking(language):
        assert {whole_number(typed) for typed in accepted} == {1200}
        assert {whole_number(typed) for typed in refused} == {None}
        assert whole_number(number(1_200_000)) == 1_200_000


@pytest.mark.promise
def test_spanish_separates_thousands_from_five_digits_on() -> None:
    with speaking(Language.SPANISH):
        written = [number(one) for one in (-1200, 999, 9999, 10_000, 1_234_567)]
        assert written == ["-1200", "999", "9999", "10.000", "1.234.567"]


def test_no_credits_are_counted_as_each_language_counts_them() -> None:
    said: list[str] = []
    for language in (Language.GERMAN, Language.FRENCH, Language.SPANISH, Language.PORTUGUESE):
        with speaking(language):
            said.append(credit_words(0))
    assert said == ["0 Credits", "0 crédit", "0 créditos", "0 créditos"]


def test_a_number_among_the_arguments_is_written_as_the_language_does() -> None:
    with speaking(Language.GERMAN):
        assert gettext("{number} of {size}", number=-1200, size=2.5) == "-1.200 of 2,5"
        assert gettext("{id}", id="1200") == "1200"


def test_plurals_are_those_of_the_number() -> None:
    assert [ngettext("{count} job", "{count} jobs", count) for count in (0, 1, 2)] == [
        "0 jobs",
        "1 job",
        "2 jobs",
    ]


def test_one_error_is_read_by_two_people_in_two_languages() -> None:
    error = Refused(
        paragraph(
            lazy("At most {most}.", most=nlazy("{count} of {size}", "{count} of {size}", 2000, size=1.5))
        )
    )
    assert str(error) == "At most 2,000 of 1.5."
    with speaking(Language.GERMAN):
        assert str(error) == "At most 2.000 of 1,5."


def test_sentences_are_joined_as_the_language_does() -> None:
    assert sentences("One.", "", "Two.") == "One. Two."
    with speaking(Language.JAPANESE):
        assert sentences("一。", "二。") == "一。二。"


def test_what_is_named_later_is_named_in_each_of_several_pieces() -> None:
    either = alternatives([lazy("{tool} here", tool="Kite"), lazy("in {place}"), "nowhere"])
    assert str(either.using(place="Lab")) == "Kite here, in Lab, or nowhere"
    assert str(paragraph(lazy("Go to {place}."), "Now.").using(place="Lab")) == "Go to Lab. Now."


async def test_people_who_are_answered_at_the_same_time_keep_their_languages() -> None:
    met = asyncio.Barrier(2)

    async def answered(language: Language) -> Language:
        with speaking(language):
            await met.wait()
            return spoken()

    found = await asyncio.gather(answered(Language.GERMAN), answered(Language.JAPANESE))
    assert found == [Language.GERMAN, Language.JAPANESE]
    assert spoken() is Language.ENGLISH


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", Language.GERMAN),
        ("es-419", Language.SPANISH),
        ("en-GB", Language.ENGLISH),
        ("fi", None),
    ],
)
def test_each_of_discords_locales_has_its_language(locale: str, language: Language | None) -> None:
    assert known_language(locale) is language


def test_french_says_tu() -> None:
    text = source_file(Language.FRENCH).read_text("utf-8")
    vous = r"(?i)\b(vous|votre|vos|vôtres?|êtes|faites|dites|(?!chez|assez)\w+ez)\b"

    assert "ta tâche" in text
    assert re.findall(vous, text) == []


def words(panel: Any) -> str:
    return json.dumps(panel.to_components(), ensure_ascii=False)


async def test_a_colon_has_a_space_before_it_in_french() -> None:
    catalog = Catalog.load()
    with speaking(Language.FRENCH):
        tools = words(public_panel(list(catalog.tools.values())))
        rules = named_value("`private`", "**on**")
    assert "**Home staging virtuel**\u00a0: " in tools
    assert "`private`\u00a0: **" in rules


ROOM = ("room.png", PNG + b"room")


def labels(shown: Any) -> dict[str, str]:
    """Return what a form's fields are called, and what their choices are."""
    assert shown.modal is not None
    found: dict[str, str] = {}
    for one in shown.modal["components"]:
        field = one["component"]
        found[field["custom_id"]] = one["label"]
        found |= {choice["value"]: choice["label"] for choice in field.get("options", ())}
    return found


@pytest.mark.promise
async def test_a_form_and_its_answer_speak_the_persons_language_and_studii_gets_its_words(
    desk: Desk,
) -> None:
    await change(desk, "setup", "language", "de")
    with app_in("de"):
        listed = await desk.maya.slash(desk.channel, "help")
        assert listed.response is not None
        form = await desk.maya.click(listed.response, custom_id="studii:tool:virtual-staging")
        shown = labels(form)
        assert (shown["style"], shown["farmhouse"]) == ("Stil", "Landhaus")
        assert (shown["room"], shown["living"]) == ("Raum", "Wohnzimmer")
        chosen = {"image": ROOM, "style": "farmhouse", "room": "living"}
        answer = await desk.maya.submit_modal(form, chosen)
    assert "Stil **Landhaus** · Raum **Wohnzimmer**" in texts(answer)
    assert (await desk.job()).inputs == {"style": "farmhouse", "room": "living"}


@pytest.mark.promise
async def test_values_are_suggested_and_may_be_typed_in_the_persons_language(desk: Desk) -> None:
    with app_in("fr"):
        offered = await desk.maya.autocomplete(desk.channel, "virtual-staging", "room", "cham", image=ROOM)
        assert next((one["name"], one["value"]) for one in offered) == ("chambre", "bedroom")
        await desk.maya.slash(desk.channel, "virtual-staging", image=ROOM, room="Salle à manger")
    assert (await desk.job()).inputs["room"] == "dining"
