"""A server throws the bot out: the key goes at once, the rest after a month."""

from datetime import timedelta
from pathlib import Path

from bot.model import JobState
from bot.storage import Storage
from tests.support.desk import open_desk
from tests.support.servers import cog, leave


async def ciphertexts(storage: Storage) -> list[bytes]:
    async with storage.read() as tx:
        return [key.ciphertext for key in await tx.keys.all()]


async def test_a_server_that_removes_the_bot_loses_its_key_at_once_and_the_rest_after_a_month(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
        guild = desk.bot.get_guild(desk.guild.id)
        assert guild is not None
        await cog(desk).on_guild_remove(guild)
        job = await desk.job()
        assert job.state is JobState.CANCELLED
        assert await ciphertexts(desk.storage) == [b""]
        await desk.services.privacy.sweep()
        assert (await desk.job()).inputs["prompt"] == "a red kite"
        desk.clock.advance(timedelta(days=31).total_seconds())
        await desk.services.privacy.sweep()
        async with desk.storage.read() as tx:
            assert await tx.jobs.in_states(list(JobState)) == []
            assert await tx.ledger.entries(guild_id=desk.guild.id) == []
            assert await tx.keys.all() == []


async def test_a_server_that_comes_back_in_time_keeps_the_rest(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.services.servers.left(desk.guild.id)
        desk.clock.advance(timedelta(days=20).total_seconds())
        assert await desk.services.servers.joined(desk.guild.id)
        desk.clock.advance(timedelta(days=20).total_seconds())
        await desk.services.privacy.sweep()
        async with desk.storage.read() as tx:
            assert len(await tx.keys.all()) == 1


async def test_a_removal_while_the_bot_was_away_counts_and_another_bots_token_does_not(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        mine = desk.bot.application_id
        assert mine is not None
        await desk.services.servers.compare(mine, [desk.guild.id])
        await desk.services.servers.compare(mine + 1, [])
        assert await desk.services.keys.current(desk.guild.id) is not None
        await desk.services.servers.compare(mine, [])
        assert await desk.services.keys.current(desk.guild.id) is None


async def test_a_removal_ends_what_is_being_made_at_what_studii_said_it_costs(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="one")
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
        going = await desk.move(await desk.job(), *states, charged=5)
        await leave(desk)
        ended = await desk.services.jobs.get(going.id)
        assert ended is not None
        assert (ended.state, ended.settled, ended.reserved) == (JobState.FAILED, 5, 0)
        assert "was removed from the server" in (ended.failure_text or "")
        assert await ciphertexts(desk.storage) == [b""]
        async with desk.storage.read() as tx:
            assert await tx.audit.everything() == []
