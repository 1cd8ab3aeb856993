"""A server takes the bot in: its people are told the next step, once."""

from pathlib import Path

import pytest

from tests.support.desk import Desk, make_bot, open_desk, texts
from tests.support.servers import greetings, outage, rejoin


async def test_a_new_server_is_told_the_next_step_in_its_system_channel_once(desk: Desk) -> None:
    await rejoin(desk, desk.channel)
    (greeting,) = desk.channel.history()
    assert "an admin (Manage Server) types `/studii setup`" in texts(greeting)
    await outage(desk)
    assert greetings(desk) == 1


@pytest.mark.promise
async def test_the_owner_is_told_where_the_bot_may_not_write(desk: Desk) -> None:
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
