"""Taps that come to nothing: nobody sees anything, but for a DM when credits are short or Discord fails."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import discord
import pytest

from bot.domain import Period
from bot.domain.access import PhotoScope
from bot.reactions.watch import NOT_READ
from bot.reasons import Reason, ReasonCode
from bot.services import PhotoService
from tests.reactions.taps import PORTRAIT, ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support.clock import FakeClock
from tests.support.desk import open_desk, texts


@pytest.mark.parametrize("files", [(), (("notes.pdf", b"%PDF-1.7"),)])
async def test_nothing_visible_happens_under_a_message_without_a_picture_that_is_taken(
    tmp_path: Path, files: Sequence[tuple[str, bytes]]
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, *files)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id


async def test_a_bot_that_taps_starts_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        event = reaction(desk, message, 4242)
        event["member"]["user"] = {
            "id": "4242",
            "username": "robot",
            "avatar": None,
            "discriminator": "0",
            "bot": True,
        }
        desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
        await desk.env.settle()
        assert await jobs_of(desk) == []


async def test_the_bots_own_messages_are_no_photos(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        channel = desk.bot.get_channel(desk.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.send("Made by me", file=discord.File(tmp_path / "studii.db", "room.png"))
        message = desk.channel.history()[-1]
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        # Discord also tells whose message it is, and then it need not even be looked at.
        calls = len(desk.env.http_requests)
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, message, desk.tom.id))
        await desk.env.settle()
        assert len(desk.env.http_requests) == calls


async def test_a_portrait_tool_takes_ones_own_photo_by_tap_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, PORTRAIT)
        assert await jobs_of(desk) == []
        await desk.maya.react(message, PORTRAIT)
        assert len(await jobs_of(desk)) == 1


async def test_people_without_access_see_nothing_happen(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        async with desk.services.access.change(desk.guild.id) as change:
            await change.set_photos(photos=PhotoScope.OWN)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id
        assert desk.tom.user.dm_channel is None or desk.tom.user.dm_channel.history() == []


async def test_a_blocked_member_taps_in_vain(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        async with desk.services.access.change(desk.guild.id) as change:
            await change.block(desk.tom.id)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id


async def test_short_credits_are_told_by_dm_once_an_hour(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.credits.set_budget(desk.guild.id, 1, Period.DAY)
        message = await post(desk, desk.maya, ROOM)
        for emoji in (STAGING, "🩹", "📦"):
            await desk.tom.react(message, emoji)
        (told,) = desk.tom.user.dm_channel.history()
        assert "Harbour Street Studio" in texts(told)
        assert "The daily budget of 1 credit is below the price" in texts(told)
        desk.clock.advance(3601)
        await desk.tom.unreact(message, STAGING)
        await desk.tom.react(message, STAGING)
        assert len(desk.tom.user.dm_channel.history()) == 2
        assert desk.channel.history()[-1].id == message.id


@pytest.mark.parametrize(
    ("code", "told"), [(ReasonCode.OUT_OF_CREDITS, True), (ReasonCode.KEY_REFUSED, False)]
)
async def test_that_studii_has_no_credits_left_for_the_server_is_told_and_a_refused_key_is_not(
    tmp_path: Path, code: ReasonCode, *, told: bool
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        key = await desk.services.keys.current(desk.guild.id)
        assert key is not None
        async with desk.storage.write() as transaction:
            until = desk.clock.now() + timedelta(minutes=5)
            await transaction.holds.set(desk.guild.id, key.id, Reason(code), until)
        await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []
        said = desk.tom.user.dm_channel.history() if desk.tom.user.dm_channel else []
        assert ["Studii has no credits left" in texts(one) for one in said] == [True] * told


async def test_a_restart_tells_nobody_twice_in_an_hour(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.credits.set_budget(desk.guild.id, 1, Period.DAY)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        again = PhotoService(desk.storage, desk.bot.catalog, desk.clock)
        await again.load()
        assert not await again.may_tell(desk.tom.id)
        assert await again.may_tell(desk.maya.id)
        desk.clock.advance(3601)
        assert await again.may_tell(desk.tom.id)
        await desk.services.privacy.forget_member(desk.tom.id)
        assert await again.may_tell(desk.tom.id)  # nothing is left of it


async def test_a_clock_that_was_set_back_silences_nobody(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        ahead = FakeClock(desk.clock.now() + timedelta(days=30))
        assert await PhotoService(desk.storage, desk.bot.catalog, ahead).may_tell(desk.tom.id)
        assert await desk.services.photos.may_tell(desk.tom.id)


async def test_closed_dms_are_no_error(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.credits.set_budget(desk.guild.id, 1, Period.DAY)
        desk.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []


@pytest.mark.parametrize(("status", "told"), [(400, 1), (404, 0)])
async def test_who_tapped_a_photo_that_discord_does_not_hand_out_is_told(
    tmp_path: Path, status: int, told: int
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        desk.env.inject_error("GET", "/channels/*/messages/*", status=status, code=10008, times=1)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        said = desk.tom.user.dm_channel.history() if desk.tom.user.dm_channel else []
        assert [NOT_READ in texts(one) for one in said] == [True] * told
