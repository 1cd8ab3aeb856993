"""What is refused for credits, limits and rules says which it was, and what else may be done."""

from typing import Any

import pytest

from bot.credits.limits import StartRate
from bot.errors import DatabaseAway, DatabaseFailed, NotAlone, Refused, StudiiBotError
from bot.jobs import queries
from bot.jobs.confirm import Repeated
from bot.reactions.photos import cannot_post
from bot.reasons import Reason, ReasonCode
from bot.servers.settings import Permit
from bot.studii import BadInputs, KeyRefused, OutOfCredits, PlanRefused, StudiiError, TooLarge, UploadFailed
from bot.ui.kit.reasons import UNKNOWN_REASON, reason_words
from tests.support import spending
from tests.support.desk import Desk, texts
from tests.support.settings import restrict

PRIVATE = {"private": True}
CHANGE_ACCESS = "Try again without it. An admin can change this with `/studii moderation`."


async def refused(desk: Desk, **options: Any) -> str:
    """What Maya reads who asks for a picture, which costs about 8 credits."""
    answer = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options)
    assert answer.ephemeral
    return texts(answer)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (StartRate(1, 86_400), "1 job in 1 day"),
        (StartRate(1, 2 * 3600), "1 job in 2 hours"),
        (StartRate(1, 45), "1 job in 45 seconds"),
    ],
)
async def test_how_often_one_may_start_is_said_in_the_largest_unit(
    desk: Desk, rate: StartRate, said: str
) -> None:
    await spending.set_limits(desk.resources, desk.guild.id, rate=rate)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert f"You've reached the limit of {said} here." in await refused(desk)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("permit", "with_role", "who"),
    [
        (Permit.MANAGERS, True, "is only for members with Manage Server or the role <@&{role}>."),
        (Permit.NOBODY, True, "is only for <@&{role}>."),
        (Permit.NOBODY, False, "is turned off in this server."),
    ],
)
async def test_who_may_not_have_something_private_reads_who_may(
    desk: Desk, permit: Permit, with_role: bool, who: str
) -> None:
    role = desk.guild.create_role("Designers")
    await desk.resources.db.write(restrict, desk.guild.id, "private", permit, [role.id] if with_role else [])
    assert f"`private` {who.format(role=role.id)} {CHANGE_ACCESS}" in await refused(desk, **PRIVATE)


async def shown(desk: Desk, refused: BaseException, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a member reads if this is raised while their command is answered."""

    def raising(*_: object) -> None:
        raise refused

    with monkeypatch.context() as changed:
        changed.setattr(queries, "page", raising)
        answer = await desk.maya.slash(desk.channel, "credits")
    assert answer.ephemeral
    return texts(answer)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused(), "That isn't possible here."),
        (Repeated(), "That's already running, or done."),
        (DatabaseFailed(), "The bot can't use its database right now. Try again in a few minutes."),
        (DatabaseAway(), "The bot can't reach its database right now. Try again in a few minutes."),
        (NotAlone(), "The bot is restarting. Try again in a moment."),
        (StudiiBotError(), "Something went wrong in the bot. Try again."),
    ],
)
async def test_every_error_has_a_sentence_that_says_what_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: StudiiBotError, said: str
) -> None:
    assert await shown(desk, error, monkeypatch) == said


@pytest.mark.promise
async def test_a_channel_that_the_bot_does_not_see_or_that_is_not_named_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (guild,) = desk.bot.guilds
    assert cannot_post(guild, 5) == (
        "I couldn't post a result in <#5>: I can't see that channel. Nothing was charged."
    )


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
