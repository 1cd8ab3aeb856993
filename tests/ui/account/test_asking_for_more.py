"""Who is refused for credits asks an admin, who grants or declines; the member is told."""

import asyncio

import discord
import pytest
from simcord import InteractionResult, MemberActor

from bot.credits import requests
from bot.credits.limits import AllowanceScope
from bot.credits.requests import RequestState
from bot.errors import Refused
from bot.posts import NotHere, Post, Stands
from bot.servers import settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import Period
from tests.support import spending
from tests.support.desk import Desk, answer_of, texts
from tests.support.posts import deliver, open_posts
from tests.support.presses import press


async def short(desk: Desk, credits_: int = 3) -> None:
    """Maya's allowance is too small for a picture, which costs 8."""
    await desk.set_key()
    await spending.set_limits(desk.resources, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, credits_))


async def asked(desk: Desk, who: MemberActor) -> InteractionResult:
    """The refusal of a job, in which the member has pressed "Ask an admin"."""
    refused = await who.slash(desk.channel, "studio", prompt="A red kite")
    await who.click(answer_of(refused), label="Ask an admin")
    return refused


async def notices(desk: Desk, kind: NoticeKind) -> list[Post]:
    return [one for one in await desk.db.read(open_posts) if one.kind == kind]


async def request_message(desk: Desk) -> discord.Message:
    """The request as admins see it, posted as the engine does it."""
    (notice,) = await notices(desk, NoticeKind.CREDITS_ASKED)
    assert isinstance(await deliver(desk, notice, desk.channel.id, None), Stands)
    return desk.channel.history()[-1]


async def left(desk: Desk, who: MemberActor) -> int | None:
    return (await spending.of_member(desk.resources, desk.guild.id, who.id, ())).left


@pytest.mark.promise
@pytest.mark.parametrize("chosen", [True, False])
async def test_a_request_that_is_seen_in_place_calls_those_with_manage_server(
    desk: Desk, *, chosen: bool
) -> None:
    await short(desk)
    if chosen:  # else there is no log channel, in which admins would read it
        log = {"log_channel_id": desk.guild.create_text_channel("log").id}
        await desk.resources.db.write(settings.change, desk.guild.id, requests_in_place=True, **log)
    await asked(desk, desk.maya)
    message = await request_message(desk)
    roles = desk.env.backend.get_guild(desk.guild.id).roles.values()
    (role,) = (one for one in roles if one.name == "Studio admin")
    assert f"For <@&{role.id}>" in texts(message)
    path = f"/channels/{desk.channel.id}/messages"
    (body,) = (call.json for call in desk.env.http_requests if call.path == path)
    assert body is not None
    allowed = body["allowed_mentions"]
    assert str(role.id) in map(str, allowed["roles"])
    assert str(desk.maya.id) not in map(str, allowed["users"])


@pytest.mark.parametrize(
    ("period", "said"), [(Period.DAY, "for today"), (Period.TOTAL, "for the one-off total")]
)
async def test_who_lacks_the_servers_budget_gets_it_for_the_server(
    desk: Desk, period: Period, said: str
) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 1, period)
    await asked(desk, desk.maya)
    assert f"A grant adds 20 credits {said}." in texts(await request_message(desk))
    await desk.admin.click(desk.channel.history()[-1], label="Grant 20")
    assert (await spending.budget(desk.resources, desk.guild.id)).left == 21


async def test_a_decline_grants_nothing_and_is_told_where_one_asked_if_dms_are_closed(desk: Desk) -> None:
    await short(desk)
    await asked(desk, desk.maya)
    await desk.admin.click(await request_message(desk), label="Decline")
    assert await left(desk, desk.maya) == 3
    (told,) = await notices(desk, NoticeKind.CREDITS_ANSWER)
    desk.close_dms()
    assert isinstance(await deliver(desk, told, None), NotHere)
    assert isinstance(await deliver(desk, told, desk.channel.id), Stands)
    said = texts(desk.channel.history()[-1])
    assert f"<@{desk.maya.id}>, an admin of **Harbour Street Studio** declined your request" in said


async def test_an_admin_is_asked_from_the_direct_message_that_refuses_a_tap(desk: Desk) -> None:
    await short(desk)
    custom_id = f"studii:ask:{desk.guild.id}:studio:8:{desk.channel.id}"
    refused = await desk.channel_message(custom_id)
    told = await press(desk, desk.maya, refused, custom_id, in_server=False)
    assert "An admin was asked for more credits." in texts(told)
    (asked_for,) = await notices(desk, NoticeKind.CREDITS_ASKED)
    assert asked_for.details["user"] == desk.maya.id


async def test_a_member_has_one_open_request_and_may_ask_again_after_a_day(desk: Desk) -> None:
    await short(desk)
    await asked(desk, desk.maya)
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    again = await desk.maya.click(answer_of(refused), label="Ask an admin")
    assert "You already asked <t:" in texts(again)
    await asked(desk, desk.tom)
    assert len(await notices(desk, NoticeKind.CREDITS_ASKED)) == 2
    desk.clock.advance(86_401)
    await asked(desk, desk.maya)
    assert len(await notices(desk, NoticeKind.CREDITS_ASKED)) == 3


@pytest.mark.promise
async def test_two_admins_at_once_grant_once(desk: Desk) -> None:
    await short(desk)
    await asked(desk, desk.maya)
    (notice,) = await notices(desk, NoticeKind.CREDITS_ASKED)
    db, now = desk.resources.db, desk.clock.now()
    said = await asyncio.gather(
        db.write(requests.answer, notice.key, RequestState.GRANTED, desk.admin.id, now),
        db.write(requests.answer, notice.key, RequestState.DECLINED, 77, now),
        return_exceptions=True,
    )
    (refused,) = [one for one in said if isinstance(one, Refused)]
    assert "already" in str(refused)
    assert await left(desk, desk.maya) in {3, 23}
    late = await desk.admin.click(await request_message(desk), label="Grant 20")
    assert "has already" in texts(late)


async def test_who_has_left_gets_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await short(desk)
    await asked(desk, desk.maya)
    message = await request_message(desk)
    desk.env.inject_error("GET", "/guilds/*/members/*", status=404, code=10007, times=1)
    await desk.admin.click(message, label="Grant 20")
    assert f"<@{desk.maya.id}> isn't in this server any more" in texts(desk.channel.history()[-1])
    assert await left(desk, desk.maya) == 3
