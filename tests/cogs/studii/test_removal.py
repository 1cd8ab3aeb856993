"""A server throws the bot out: the key goes at once, the rest after a month."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.credits import ledger
from bot.db import Database
from bot.domain.guilds import Plan
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers import keys, privacy, settings
from bot.ui.kit.reasons import reason_words
from tests.support.desk import Desk, open_desk
from tests.support.jobs import ledger_lines
from tests.support.servers import cog, leave
from tests.support.services import sweep


async def ciphertexts(db: Database) -> list[bytes]:
    return [key.ciphertext for key in await db.read(keys.stored)]


@pytest.mark.promise
async def test_a_server_that_removes_the_bot_loses_its_key_at_once_and_the_rest_after_a_month(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
    guild = desk.bot.get_guild(desk.guild.id)
    assert guild is not None
    await cog(desk).on_guild_remove(guild)
    job = await desk.job()
    assert job.state is JobState.CANCELLED
    assert await ciphertexts(desk.db) == [b""]
    await sweep(desk.services)
    assert (await desk.job()).inputs["prompt"] == "a red kite"
    desk.clock.advance(timedelta(days=31).total_seconds())
    await sweep(desk.services)
    assert await desk.db.read(queries.in_states, list(JobState)) == []
    assert await ledger_lines(desk.db, guild_id=desk.guild.id) == []
    assert await desk.db.read(keys.stored) == []


@pytest.mark.promise
async def test_a_server_that_comes_back_in_time_keeps_the_rest(desk: Desk) -> None:
    await desk.services.db.write(privacy.left, desk.guild.id, desk.clock.now())
    desk.clock.advance(timedelta(days=20).total_seconds())
    assert await desk.services.db.write(settings.came, desk.guild.id, desk.clock.now())
    desk.clock.advance(timedelta(days=20).total_seconds())
    await sweep(desk.services)
    assert len(await desk.db.read(keys.stored)) == 1


async def known(desk: Desk, *guild_ids: int) -> None:
    """Servers that the bot was in, each with a Studii key."""
    for guild_id in guild_ids:
        await desk.services.db.write(settings.came, guild_id, desk.clock.now())
        await desk.services.keys.set_key(guild_id, f"stu_{guild_id:016}", Plan.PRO, None)


async def with_keys(desk: Desk, *guild_ids: int) -> list[int]:
    return [one for one in guild_ids if await desk.services.db.read(keys.current, one) is not None]


def unseen(desk: Desk) -> None:
    """Discord's READY has left out the desk's server."""
    vars(desk.bot)["_connection"]._guilds.pop(desk.guild.id)


@pytest.mark.promise
async def test_a_removal_while_the_bot_was_away_counts_and_another_bots_token_does_not(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        mine = desk.bot.application_id
        assert mine is not None
        await known(desk, 7)
        found = await desk.services.db.write(settings.compare, mine, [7])
        assert found is not None
        assert found[1] == []
        assert await desk.services.db.write(settings.compare, mine + 1, []) is None
        await cog(desk).on_ready()
        assert await with_keys(desk, 7) == []


@pytest.mark.promise
async def test_a_server_that_ready_leaves_out_keeps_its_key_if_discord_still_has_the_bot_in_it(
    desk: Desk,
) -> None:
    await known(desk, desk.guild.id, 7)
    unseen(desk)
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
    assert list(await desk.services.db.read(settings.missing)) == gone
    assert (await desk.db.read(settings.of, 1)).paused
    await cog(desk).on_ready()  # and the next start changes nothing about that
    assert await with_keys(desk, *gone) == gone


@pytest.mark.promise
async def test_a_removal_ends_what_is_being_made_at_what_studii_said_it_costs(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="one")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    going = await desk.move(await desk.job(), *states, charged=5)
    await leave(desk)
    ended = await desk.services.db.read(queries.get, going.id)
    assert ended is not None
    assert (ended.state, ended.settled, ended.reserved) == (JobState.FAILED, 5, 0)
    assert "was removed from the server" in reason_words(ended.failure_text)
    assert await ciphertexts(desk.db) == [b""]
    assert await desk.db.read(ledger.differing) == []
