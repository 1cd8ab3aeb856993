"""What is stored of a job is a code; its sentence is made when it is shown."""

from typing import Any

import pytest
from alembic.script import ScriptDirectory

from bot.migrate import SCRIPTS
from bot.reasons import Reason, ReasonCode
from bot.studii import BadInputs, KeyRefused, OutOfCredits, PlanRefused, StudiiError, TooLarge, UploadFailed
from bot.ui.kit import reasons
from bot.ui.kit.reasons import UNKNOWN_REASON

DETAIL = {"detail": "No such style"}
ARGUMENTS: dict[ReasonCode, dict[str, Any]] = {
    ReasonCode.TEXT: {"text": "As it was said then."},
    ReasonCode.KEY_REFUSED: DETAIL,
    ReasonCode.OUT_OF_CREDITS: DETAIL,
    ReasonCode.NO_ROOM_IN_BUDGET: {"price": 1200, "reserved": 40},
    ReasonCode.NO_ROOM_IN_ALLOWANCE: {"price": 1200, "reserved": 40},
    ReasonCode.API_REFUSED: DETAIL,
    ReasonCode.BAD_INPUTS: DETAIL,
    ReasonCode.PLAN_REFUSED: DETAIL,
    ReasonCode.JOB_NOT_FOUND: DETAIL,
    ReasonCode.PHOTO_BUILT_ODDLY: {"kind": "GIF"},
    ReasonCode.PHOTO_BROKEN: {"kind": "WebP"},
    ReasonCode.PHOTO_TOO_MANY_PIXELS: {"width": 9000, "height": 8000, "most": 64_000_000},
    ReasonCode.PHOTO_GROWN_TOO_LARGE: {"kind": "AVIF", "size": 26_100_000, "most": 25_000_000},
    ReasonCode.NOT_STARTED: {"photo": True},
    ReasonCode.STUDII_FAILED: DETAIL,
    ReasonCode.OUTPUT_TOO_LARGE: {"limit": 100 * 2**20},
}


def some(code: ReasonCode) -> Reason:
    return Reason(code, ARGUMENTS.get(code, {}))


def reason_words(reason: Reason | None) -> str:
    return reasons.reason_words(reason)


def coded(sentence: str) -> str | None:
    """What the migration makes of the sentence of an earlier version."""
    return ScriptDirectory(str(SCRIPTS)).get_revision("0024").module.coded(sentence)


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_its_words(code: ReasonCode) -> None:
    words = reason_words(some(code))
    assert words != str(UNKNOWN_REASON)
    assert words.endswith((".", "”"))
    assert "{" not in words
    texts = [value for value in some(code).arguments.values() if isinstance(value, str)]
    assert all(text in words for text in texts)


@pytest.mark.parametrize(
    "stored", ["Studii said no.", '{"odd": 1}', '["a list"]', "7", "", "{", '{"code": 3}']
)
def test_a_sentence_that_is_no_reason_is_shown_as_it_is(stored: str) -> None:
    assert reason_words(Reason.decode(stored)) == stored


@pytest.mark.parametrize(
    "reason",
    [
        Reason("of_tomorrow", {"price": 3}),
        Reason(ReasonCode.NO_ROOM_IN_BUDGET),
        Reason(ReasonCode.PHOTO_TOO_MANY_PIXELS, {"width": "wide", "height": 1, "most": 1}),
    ],
)
def test_what_another_version_stored_breaks_nothing(reason: Reason) -> None:
    assert Reason.decode(reason.encode()) == reason
    assert reason_words(reason) == str(UNKNOWN_REASON)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadInputs(400, detail="no “such” style."), "inputs. Studii says: “no “such” style”. Change them"),
        (KeyRefused(401, detail="Revoked!"), "Studii says: “Revoked!”. An admin can make a new key"),
        (KeyRefused(401), "API key. An admin can make a new key"),
        (
            OutOfCredits(402),
            "add some at studii.tech. If the key's spend cap is reached",
        ),
        (PlanRefused(403), "plan doesn't allow this. Try another tool"),
        (UploadFailed(413), "too large for Studii"),
        (UploadFailed(500), "Try again."),
        (TooLarge(2**21), "larger than the limit of 2 MiB"),
    ],
)
def test_an_error_of_studii_is_told_with_studiis_words_and_what_to_do(error: StudiiError, words: str) -> None:
    assert words in reason_words(error.told)
