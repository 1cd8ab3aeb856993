"""A server takes the bot in: its people are told the next step, once."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.credits import ledger
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers import keys, privacy, settings
from bot.servers.keys import Plan
from bot.ui.help import SHOWN_FIRST
from bot.ui.kit.reasons import reason_words
from tests.support.desk import DONE, Desk, make_bot, open_desk, pieces
from tests.support.jobs import ledger_lines
from tests.support.resources import sweep
from tests.support.servers import cog, greetings, leave, rejoin


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
            await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
        assert greetings(desk) == 1
        assert len(desk.channel.history()) == 1


@pytest.mark.promise
@pytest.mark.parametrize(("may", "files"), [(True, list(SHOWN_FIRST)), (False, [])])
async def test_a_greeting_shows_what_the_tools_make_unless_it_may_attach_nothing(
    desk: Desk, *, may: bool, files: list[str]
) -> None:
    welcome = desk.channel_for_the_bot("welcome", attach_files=may)
    await rejoin(desk, welcome)
    (greeting,) = welcome.history()
    shown = [one["media"]["url"] for piece in pieces(greeting) for one in piece.get("items", ())]
    assert [one.filename for one in greeting.attachments] == files
    assert [one.split("?")[0].split("/")[-1] for one in shown] == files


@pytest.mark.promise
async def test_a_server_that_removes_the_bot_loses_its_key_at_once_and_the_rest_after_a_month(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
    desk.env.backend.emit("GUILD_DELETE", {"id": str(desk.guild.id)})
    await desk.env.settle()
    job = await desk.job()
    assert job.state is JobState.CANCELLED
    assert [one.ciphertext for one in await desk.db.read(keys.stored)] == [b""]
    await sweep(desk.resources)
    assert (await desk.job()).inputs["prompt"] == "a red kite"
    desk.clock.advance(timedelta(days=31).total_seconds())
    await sweep(desk.resources)
    assert await desk.db.read(queries.in_states, list(JobState)) == []
    assert await ledger_lines(desk.db, guild_id=desk.guild.id) == []
    assert await desk.db.read(keys.stored) == []


@pytest.mark.promise
async def test_a_server_that_comes_back_in_time_keeps_the_rest(desk: Desk) -> None:
    await desk.resources.db.write(privacy.left, desk.guild.id, desk.clock.now())
    desk.clock.advance(timedelta(days=20).total_seconds())
    assert await desk.resources.db.write(settings.came, desk.guild.id, desk.clock.now())
    desk.clock.advance(timedelta(days=20).total_seconds())
    await sweep(desk.resources)
    assert len(await desk.db.read(keys.stored)) == 1


async def known(desk: Desk, *guild_ids: int) -> None:
    """Servers that the bot was in, each with a Studii key."""
    for guild_id in guild_ids:
        await desk.resources.db.write(settings.came, guild_id, desk.clock.now())
        await desk.resources.keys.set_key(guild_id, f"stu_{guild_id:016}", Plan.PRO)


async def with_keys(desk: Desk, *guild_ids: int) -> list[int]:
    return [one for one in guild_ids if await desk.resources.db.read(keys.current, one) is not None]


@pytest.mark.promise
async def test_a_removal_while_away_counts_if_discord_says_so_too_and_another_bots_token_does_not(
    desk: Desk,
) -> None:
    mine = desk.bot.application_id or 0
    await known(desk, desk.guild.id, 7)
    assert await desk.db.write(settings.compare, mine, [7, desk.guild.id]) is not None
    assert await desk.db.write(settings.compare, mine + 1, []) is None  # another bot's token
    vars(desk.bot)["_connection"]._guilds.pop(desk.guild.id)
    await cog(desk).on_ready()
    assert await with_keys(desk, desk.guild.id, 7) == [desk.guild.id]


@pytest.mark.promise
@pytest.mark.parametrize(("status", "code"), [(403, 0), (404, 0), (400, 50035)])
async def test_a_server_of_which_something_else_than_discord_speaks_keeps_its_key(
    desk: Desk, status: int, code: int
) -> None:
    await known(desk, 7)
    desk.env.inject_error("GET", "/guilds/7", status=status, code=code)
    await cog(desk).on_ready()
    assert await with_keys(desk, 7) == [7]
    await cog(desk).on_ready()
    assert await with_keys(desk, 7) == []


@pytest.mark.promise
async def test_many_servers_that_are_gone_at_once_stay_until_the_operator_says_so(desk: Desk) -> None:
    gone = [1, 2, 3, 4, 5]
    await known(desk, *gone)
    await cog(desk).on_ready()
    assert await with_keys(desk, *gone) == gone
    assert list(await desk.resources.db.read(settings.missing)) == gone
    assert (await desk.db.read(settings.of, 1)).paused
    await cog(desk).on_ready()  # and the next start changes nothing about that
    assert await with_keys(desk, *gone) == gone


@pytest.mark.promise
async def test_a_removal_ends_what_is_being_made_at_what_studii_said_it_costs(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="one")
    await desk.move(await desk.job(), *DONE[:3], charged=5)
    await leave(desk)
    ended = await desk.job()
    assert (ended.state, ended.settled, ended.reserved) == (JobState.FAILED, 5, 0)
    assert "was removed from the server" in reason_words(ended.failure_text)
    assert [one.ciphertext for one in await desk.db.read(keys.stored)] == [b""]
    assert await desk.db.read(ledger.differing) == []
