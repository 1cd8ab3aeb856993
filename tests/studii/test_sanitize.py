"""Studii's words are shown to people, so they are cleaned first."""

import json
from datetime import UTC, datetime

import pytest

from bot.studii.sanitize import clean, detail_of, retry_after

KEY = "stu_0123456789abcdef"
NOW = datetime(2026, 5, 14, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error": "No such style."}, "No such style."),
        ({"message": "No such style."}, "No such style."),
        ({"error": {"message": "No such style.", "code": 7}}, "No such style."),
        ({"error": None, "message": "No such style."}, "No such style."),
        ({"error": "  \n"}, None),
        ({"error": 7}, None),
        (["No such style."], None),
        ("No such style.", None),
        ({}, None),
    ],
)
def test_the_words_of_an_error_are_found(document: object, words: str | None) -> None:
    assert detail_of(json.dumps(document).encode(), KEY) == words


@pytest.mark.parametrize("body", [None, b"", b"<html>", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_cannot_be_read_has_no_words(body: bytes | None) -> None:
    assert detail_of(body, KEY) is None


def test_control_characters_and_line_breaks_do_not_get_through() -> None:
    assert clean("a\x00b\x1b[31m\r\n\tc\u202ed\u2028e \ud800f", KEY) == "ab[31m cd e f"


@pytest.mark.parametrize(
    "text",
    [
        f"The key {KEY} is revoked.",
        f"{KEY}{KEY}",
        f"{'x' * 290} {KEY}",
        "\u200b".join(KEY),
        "\u202e".join(KEY),
        "\U000e0061".join(KEY),
        "The key stu_another-key_of-somebody is revoked.",
    ],
)
def test_no_key_gets_through_whole_or_in_part(text: str) -> None:
    cleaned = clean(text, KEY) or ""
    assert "0123" not in cleaned
    assert "somebody" not in cleaned
    assert "stu_" in cleaned or len(text) > 300


def test_a_key_of_an_unusual_form_is_masked_as_well() -> None:
    assert clean("bad key: p@ss/word!", "p@ss/word!") == "bad key: stu_…"


def test_long_words_are_cut_at_300_characters() -> None:
    cleaned = clean("word " * 1000, KEY)
    assert cleaned is not None
    assert len(cleaned) == 300
    assert cleaned.endswith("…")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("86400", 300.0),
        ("inf", 300.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Thu, 14 May 2026 12:00:30 GMT", 30.0),
        ("Thu, 14 May 2026 11:00:00 GMT", 0.0),
        ("Fri, 15 May 2026 12:00:00 GMT", 300.0),
        ("Thu, 99 May 2026 12:00:30 GMT", None),
    ],
)
def test_the_time_to_wait_is_read_in_both_forms_and_bounded(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_a_date_to_wait_for_is_measured_by_the_clock_that_set_it() -> None:
    headers = {"Retry-After": "Thu, 14 May 2026 10:00:20 GMT", "Date": "Thu, 14 May 2026 10:00:00 GMT"}
    assert retry_after(headers, NOW) == 20.0


def test_without_a_word_about_waiting_there_is_no_figure() -> None:
    assert retry_after({}, NOW) is None
