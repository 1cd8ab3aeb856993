"""Whoever is refused in Discord learns why, how much is left, when it renews, and who can change it."""

from datetime import timedelta
from itertools import product
from typing import Any

import discord
import pytest

from bot.credits.limits import AllowanceScope, StartRate
from bot.errors import DatabaseAway, DatabaseFailed, NotAlone, Refused, StudiiBotError
from bot.jobs import queries
from bot.jobs.confirm import Repeated
from bot.jobs.models import JobState
from bot.reactions.photos import cannot_post
from bot.reasons import Reason, ReasonCode
from bot.servers import settings
from bot.servers.settings import Period, Permit, PhotoScope
from bot.studii import BadInputs, KeyRefused, OutOfCredits, PlanRefused, StudiiError, TooLarge, UploadFailed
from bot.ui.kit.reasons import UNKNOWN_REASON, reason_words
from tests.reactions.taps import jobs_of
from tests.support import spending
from tests.support.desk import DONE, PNG, Desk, answer_of, pieces, read_alone, started, texts
from tests.support.settings import change, pressed, restrict
from tests.ui.admin.moderation.waiting import moderator

OWN_ONLY = (
    "In this server you can only use Career portrait on your own photos. Someone else posted that one. "
    "An admin can change this with `/studii photos`."
)
CHANGE_LIMIT = "An admin can change this with `/studii credits`."


async def photo_of_tom(desk: Desk) -> discord.Message:
    return await desk.tom.send(desk.channel, "Me", attachments=[("me.png", PNG)])


def unix(desk: Desk, seconds: float) -> str:
    """Discord's timestamp of so many seconds from now."""
    return f"<t:{(desk.clock.now() + timedelta(seconds=seconds)).timestamp():.0f}:R>"


@pytest.mark.promise
async def test_whose_photo_may_be_used_is_up_to_the_server_and_portraits_are_of_ones_own_or_for_moderators(
    desk: Desk,
) -> None:
    photo = await photo_of_tom(desk)
    refused = await desk.maya.context_menu(desk.channel, "Career portrait", photo)
    assert OWN_ONLY in read_alone(refused)
    assert len(await jobs_of(desk)) == 0
    assert started(await desk.maya.context_menu(desk.channel, "Photo restoration", photo))
    for one in (desk.tom, desk.admin, moderator(desk)):
        assert started(await one.context_menu(desk.channel, "Career portrait", photo))
    desk.clock.advance(60)
    await desk.resources.db.write(
        settings.change, desk.guild.id, photos=PhotoScope.OWN, portraits=PhotoScope.ANYONE
    )
    assert started(await desk.maya.context_menu(desk.channel, "Career portrait", photo))
    refused = await desk.maya.context_menu(desk.channel, "Photo restoration", photo)
    assert "you can only use Photo restoration on your own photos" in texts(refused)
    assert len(await jobs_of(desk)) == 5


@pytest.mark.promise
async def test_a_member_who_refuses_by_privacy_is_obeyed_until_they_allow_it(desk: Desk) -> None:
    photo = await photo_of_tom(desk)
    own = await desk.tom.slash(desk.channel, "settings")
    await desk.tom.click(answer_of(own), custom_id="studii:put:settings:photos:off")
    said = "The person who posted that photo doesn't want others to use it. Only they can change this."
    menus = ("Photo restoration", "Product background", "Virtual staging")
    for person, menu in product((desk.maya, desk.admin), menus):
        refused = await person.context_menu(desk.channel, menu, photo)
        assert said in read_alone(refused), menu
    assert len(await jobs_of(desk)) == 0
    assert started(await desk.tom.context_menu(desk.channel, "Photo restoration", photo))
    await desk.tom.click(answer_of(own), custom_id="studii:put:settings:photos:on")
    for menu in menus:
        allowed = await desk.maya.context_menu(desk.channel, menu, photo)
        assert allowed.modal is not None or started(allowed), menu


@pytest.mark.promise
async def test_with_too_many_jobs_going_one_learns_how_many_and_waits_for_one_to_end(desk: Desk) -> None:
    await spending.set_limits(desk.resources, desk.guild.id, at_once=1)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.job()
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    assert (
        f"You already have 1 job running, the limit here. Try again when one finishes. {CHANGE_LIMIT}"
    ) in read_alone(refused)
    assert started(await desk.tom.slash(desk.channel, "studio", prompt="A red kite"))
    await desk.move(job, JobState.FAILED)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A blue kite"))


@pytest.mark.promise
async def test_who_starts_too_often_learns_how_many_may_be_started_and_when_the_next(desk: Desk) -> None:
    await change(desk, "credits", "rate", starts="2", minutes="10")
    form: Any = await pressed(desk, "credits", "studii:fill:credits:rate")
    assert [one["component"]["value"] for one in form.modal["components"]] == ["2", "10"]  # as it was typed
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    desk.clock.advance(100)
    await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A green kite")
    assert (
        "You've reached the limit of 2 jobs in 10 minutes here. "
        f"You can start the next one {unix(desk, 500)}. {CHANGE_LIMIT}"
    ) in texts(refused)
    shown = texts(await desk.maya.slash(desk.channel, "credits"))
    assert f"Start rate: 2 jobs in 10 minutes; next start {unix(desk, 500)}" in shown
    desk.clock.advance(500)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A green kite"))


@pytest.mark.promise
async def test_a_spent_allowance_says_how_much_is_left_and_when_it_renews(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.DAY)
    await spending.set_limits(desk.resources, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, 10))
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    midnight = unix(desk, 12 * 3600)  # it is noon
    assert (
        "Not enough credits: this costs about 8 credits, and your allowance has 2 of 10 credits left today. "
        f"The budget renews {midnight}. "
        f"{CHANGE_LIMIT}"
    ) in texts(refused)
    shown = [texts(await one.slash(desk.channel, "credits")) for one in (desk.maya, desk.tom)]
    assert ["2 of 10 credits left today" in one for one in shown] == [True, False]


# /credits: a member's view of the money


@pytest.mark.promise
async def test_a_member_sees_what_is_left_and_what_they_used(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.WEEK)
    for member in (desk.tom, desk.maya):
        await member.slash(desk.channel, "studio", prompt="A red kite")
    await desk.settle(await desk.move(await desk.job(), *DONE), 8)
    answer = await desk.maya.slash(desk.channel, "credits")
    shown = read_alone(answer)
    assert "**84 of 100 credits left this week**" in shown
    assert "8 credits spent, 8 reserved" in shown
    (gauge,) = (piece["items"][0] for piece in pieces(answer) if piece["type"] == 12)
    assert gauge["description"] == "84 of 100 credits left this week"
    assert "**You**: 8 credits spent" in shown
    (line,) = (line for line in shown.splitlines() if "· done ·" in line)
    assert "🎨 Studio · done" in line
    assert "· 8 credits ·" in line


# What each refusal and each error says, and what else may be done

CHANGE_ACCESS = "Try again without it. An admin can change this with `/studii moderation`."


async def refused(desk: Desk, **options: Any) -> str:
    """What Maya reads who asks for a picture, which costs about 8 credits."""
    return read_alone(await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options))


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
    assert f"`private` {who.format(role=role.id)} {CHANGE_ACCESS}" in await refused(desk, private=True)


async def test_every_error_has_a_sentence_that_says_what_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[StudiiBotError] = []

    def raising(*_: object) -> None:
        raise raised[-1]

    monkeypatch.setattr(queries, "page", raising)
    for error, said in (
        (Refused(), "That isn't possible here."),
        (Repeated(), "That's already running, or done."),
        (DatabaseFailed(), "The bot can't use its database right now. Try again in a few minutes."),
        (DatabaseAway(), "The bot can't reach its database right now. Try again in a few minutes."),
        (NotAlone(), "The bot is restarting. Try again in a moment."),
        (StudiiBotError(), "Something went wrong in the bot. Try again."),
    ):
        raised.append(error)
        assert read_alone(await desk.maya.slash(desk.channel, "credits")) == said


@pytest.mark.promise
async def test_a_channel_that_the_bot_does_not_see_or_that_is_not_named_is_told(desk: Desk) -> None:
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
