"""A server takes the bot in: its people are told the next step, once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.servers import keys, privacy
from bot.servers.keys import StudiiKey
from tests.support.desk import make_bot, open_desk, texts
from tests.support.servers import cog, greetings, in_reach, out_of_reach, outage, rejoin
from tests.support.services import sweep


async def test_a_new_server_is_told_the_next_step_in_its_system_channel_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await rejoin(desk, desk.channel)
        (greeting,) = desk.channel.history()
        assert "an admin (Manage Server) types `/studii setup`" in texts(greeting)
        await outage(desk)
        assert greetings(desk) == 1


async def test_the_greetings_button_opens_the_setup_for_admins_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await rejoin(desk, desk.channel)
        (greeting,) = desk.channel.history()
        refused = await desk.maya.click(greeting, label="Set up")
        assert "Manage Server" in texts(refused.response)
        opened = await desk.admin.click(greeting, label="Set up")
        assert opened.response is not None
        assert opened.response.ephemeral
        assert "Studii in this server" in texts(opened.response)
        assert "Studii is here" in texts(desk.channel.history()[0])  # for the next admin


@pytest.mark.promise
async def test_the_owner_is_told_where_the_bot_may_not_write(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        quiet = desk.channel_for_the_bot("quiet", send_messages=False)
        await rejoin(desk, quiet)
        assert quiet.history() == []
        assert greetings(desk) == 1  # in a direct message
        owner = desk.env.backend.get_guild(desk.guild.id).owner_id
        opened = [one.json for one in desk.env.http_requests if one.path == "/users/@me/channels"]
        assert [str(one["recipient_id"]) for one in opened if one] == [str(owner)]
        (sent,) = [str(one.json) for one in desk.env.http_requests if "Studii is here" in str(one.json)]
        assert f"https://discord.com/channels/{desk.guild.id}" in sent
        assert "studii:setup" not in sent  # there, it would not know the server


async def test_an_owner_who_takes_no_messages_is_no_problem(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        await rejoin(desk)
        assert greetings(desk) == 0


@pytest.mark.promise
async def test_a_server_that_took_the_bot_in_while_it_was_away_is_greeted_when_it_starts(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.backend.edit_guild(desk.guild.id, {"system_channel_id": desk.channel.id})
        for _ in range(2):
            again, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
            await desk.env.restart_bot(again)
        assert greetings(desk) == 1
        assert len(desk.channel.history()) == 1


async def test_a_new_server_that_is_out_of_reach_at_the_start_is_greeted_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.backend.edit_guild(desk.guild.id, {"system_channel_id": desk.channel.id})
        await out_of_reach(desk)
        await cog(desk).on_ready()
        assert greetings(desk) == 0
        await in_reach(desk)
        (greeting,) = desk.channel.history()
        assert "Studii is here" in texts(greeting)
        await outage(desk)
        assert greetings(desk) == 1


async def test_a_server_out_of_reach_is_asked_for_a_key_that_was_lost_when_it_is_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.backend.edit_guild(desk.guild.id, {"system_channel_id": desk.channel.id})
        await desk.set_key()
        lost = update(StudiiKey).values(ciphertext=b"sealed with a key that is gone")
        await desk.services.db.write(lambda session: session.execute(lost))
        await out_of_reach(desk)
        await cog(desk).on_ready()
        await in_reach(desk)
        await outage(desk)
        (asked,) = desk.channel.history()
        assert "can't be read any more" in texts(asked)


async def test_being_back_after_a_removal_is_noticed_at_the_start_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.services.db.write(privacy.left, desk.guild.id, desk.clock.now())
        again, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
        await desk.env.restart_bot(again)
        desk.clock.advance(timedelta(days=40).total_seconds())
        await sweep(desk.services)
        assert len(await desk.db.read(keys.stored)) == 1
