"""What comes from outside: a secret stays one, and JSON that can't be stored is none."""

import traceback

import pytest

from bot.validation import Secret, json_of


def test_a_secret_shows_in_no_text_and_no_list_of_variables() -> None:
    secret = Secret("stu_hidden")
    shown = f"{secret} {secret!r} {[secret]}" + "".join(
        traceback.TracebackException(ValueError, ValueError(secret), None, capture_locals=True).format()
    )
    assert "hidden" not in shown
    assert secret.reveal() == "stu_hidden"
    assert secret == Secret("stu_hidden") != Secret("other")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1} b',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_or_holds_what_no_database_stores_is_not_read(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever of its kinds
        json_of(body)


def test_characters_may_be_written_by_their_numbers() -> None:
    assert json_of(b'{"a": "\\ud83d\\ude00 \\\\ud800"}') == {"a": "😀 \\ud800"}
