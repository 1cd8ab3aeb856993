"""The way in and out of a server: the setup panel, the key's end, pauses, and what is erased."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import simcord
from simcord import ChannelHandle, InteractionResult, ResponseMessage
from simcord.backend import serializers

from bot.model import JobState
from bot.policy import AllowanceOf
from bot.storage import Storage
from tests.support.desk import KEY, Desk, make_bot, open_desk, texts


def message(shown: InteractionResult) -> ResponseMessage:
    assert shown.response is not None
    return shown.response


def cog(desk: Desk) -> Any:
    """What hears of servers; its module is loaded anew with each bot."""
    return desk.bot.get_cog("Setup")


def greetings(desk: Desk) -> int:
    return sum("Studii is here" in str(one.json) for one in desk.env.http_requests if one.method == "POST")


async def enter_key(desk: Desk) -> None:
    await desk.set_key()


async def test_the_panel_says_what_is_missing_and_offers_the_next_step(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await desk.admin.slash(desk.channel, "studii setup")
        assert shown.ephemeral
        assert "❌ **Key**: none yet" in texts(shown)
        assert "⚠️ **Budget**: 100 credits a day, the default" in texts(shown)
        assert "✅ **In this channel**" in texts(shown)
        form = await desk.admin.click(message(shown), label="Enter the key")
        await desk.admin.submit_modal(form, {"key": KEY, "plan": ["team"], "budget": ""})
        shown = await desk.admin.slash(desk.channel, "studii setup")
        assert "**Ready.**" in texts(shown)
        assert "`stu_…cdef`" in texts(shown)
        assert "✅ **Plan**: Team, up to 300 requests a minute" in texts(shown)


async def test_the_panel_names_the_permissions_that_lack_in_this_channel(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        quiet = desk.channel_for_the_bot("quiet", attach_files=False)
        told = texts(await desk.admin.slash(quiet, "studii setup"))
        assert "❌ **In this channel** I lack Attach Files" in told
        assert "Not ready yet" in told


async def test_the_budget_is_set_from_the_panel(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await desk.admin.slash(desk.channel, "studii setup")
        form = await desk.admin.click(message(shown), label="Set the budget")
        told = await desk.admin.submit_modal(form, {"limit": "2,000", "period": ["month"]})
        assert "2,000 credits a month" in texts(told)


@pytest.mark.parametrize("command", ["setup", "forget-key", "pause", "resume"])
async def test_members_do_not_see_the_commands(tmp_path: Path, command: str) -> None:
    async with open_desk(tmp_path) as desk:
        with pytest.raises(simcord.SetupError, match="not visible"):
            await desk.maya.slash(desk.channel, f"studii {command}")


async def test_forgetting_the_key_asks_first_cancels_what_waits_and_lets_running_jobs_end(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.maya.slash(desk.channel, "studio", prompt="one")
        going = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
        await desk.maya.slash(desk.channel, "studio", prompt="two")
        waiting = await desk.job()
        asked = await desk.admin.slash(desk.channel, "studii forget-key")
        assert "What waits is cancelled and costs nothing" in texts(asked)
        assert await desk.services.keys.current(desk.guild.id) is not None  # nothing has happened yet
        await desk.admin.click(message(asked), label="Forget the key")
        assert "1 waiting job cancelled, not charged; 1 still being made" in texts(asked)
        assert await desk.services.keys.current(desk.guild.id) is None
        cancelled, still = await desk.services.jobs.get(waiting.id), await desk.services.jobs.get(going.id)
        assert cancelled is not None
        assert (cancelled.state, cancelled.reserved, cancelled.settled) == (JobState.CANCELLED, 0, 0)
        assert still is not None
        assert still.state is JobState.RUNNING
        assert "no Studii key" in texts(await desk.maya.slash(desk.channel, "studio", prompt="three"))


async def test_keeping_the_key_after_all_changes_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        asked = await desk.admin.slash(desk.channel, "studii forget-key")
        await desk.admin.click(message(asked), label="Keep it")
        assert await desk.services.keys.current(desk.guild.id) is not None


async def test_a_pause_refuses_new_jobs_and_leaves_what_is_going(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.maya.slash(desk.channel, "studio", prompt="before")
        before = await desk.job()
        await desk.admin.slash(desk.channel, "studii pause")
        told = await desk.maya.slash(desk.channel, "studio", prompt="meanwhile")
        assert "An admin has paused Studii" in texts(told)
        assert (await desk.job()).id == before.id
        assert (await desk.job()).state is JobState.RECEIVED
        assert "**Paused**" in texts(await desk.admin.slash(desk.channel, "studii setup"))
        await desk.admin.slash(desk.channel, "studii resume")
        await desk.maya.slash(desk.channel, "studio", prompt="after")
        assert (await desk.job()).id != before.id


async def leave(desk: Desk) -> None:
    """The bot is thrown out, as Discord tells it."""
    desk.env.backend.emit("GUILD_DELETE", {"id": str(desk.guild.id)})
    await desk.env.settle()


async def come(desk: Desk) -> None:
    """The bot is taken in: without a word of whether the server was unavailable, Discord means a new one."""
    server = desk.env.backend.get_guild(desk.guild.id)
    payload = dict(serializers.guild_create_payload(desk.env.backend, server))
    del payload["unavailable"]
    desk.env.backend.emit("GUILD_CREATE", payload)
    await desk.env.settle()


async def outage(desk: Desk) -> None:
    server = desk.env.backend.get_guild(desk.guild.id)
    desk.env.backend.emit("GUILD_DELETE", {"id": str(desk.guild.id), "unavailable": True})
    desk.env.backend.emit("GUILD_CREATE", serializers.guild_create_payload(desk.env.backend, server))
    await desk.env.settle()


async def rejoin(desk: Desk, system_channel: ChannelHandle | None = None) -> None:
    if system_channel is not None:
        desk.env.backend.edit_guild(desk.guild.id, {"system_channel_id": system_channel.id})
    await leave(desk)
    await come(desk)


async def test_a_new_server_is_told_the_next_step_in_its_system_channel_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await rejoin(desk, desk.channel)
        (greeting,) = desk.channel.history()
        assert "someone who may manage the server types `/studii setup`" in texts(greeting)
        await outage(desk)
        assert greetings(desk) == 1


async def test_the_owner_is_told_where_the_bot_may_not_write(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        quiet = desk.channel_for_the_bot("quiet", send_messages=False)
        await rejoin(desk, quiet)
        assert quiet.history() == []
        assert greetings(desk) == 1  # in a direct message
        owner = desk.env.backend.get_guild(desk.guild.id).owner_id
        opened = [one.json for one in desk.env.http_requests if one.path == "/users/@me/channels"]
        assert [str(one["recipient_id"]) for one in opened if one] == [str(owner)]


async def test_an_owner_who_takes_no_messages_is_no_problem(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        await rejoin(desk)
        assert greetings(desk) == 0


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


async def test_being_back_after_a_removal_is_noticed_at_the_start_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.services.servers.left(desk.guild.id)
        again, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
        await desk.env.restart_bot(again)
        desk.clock.advance(timedelta(days=40).total_seconds())
        await desk.services.privacy.sweep()
        async with desk.storage.read() as tx:
            assert len(await tx.keys.all()) == 1


async def test_a_server_that_removes_the_bot_loses_its_key_at_once_and_the_rest_after_a_month(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
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
        await enter_key(desk)
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
        await enter_key(desk)
        mine = desk.bot.application_id
        assert mine is not None
        await desk.services.servers.compare(mine, [desk.guild.id])
        await desk.services.servers.compare(mine + 1, [])
        assert await desk.services.keys.current(desk.guild.id) is not None
        await desk.services.servers.compare(mine, [])
        assert await desk.services.keys.current(desk.guild.id) is None


async def test_prompts_and_links_are_erased_after_ninety_days_and_amounts_stay(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
        done = await desk.move(
            await desk.job(),
            JobState.WAITING,
            JobState.SUBMITTING,
            JobState.RUNNING,
            JobState.SUCCEEDED,
            output_url="https://studii.tech/out.png",
        )
        await desk.settle(done, 8)
        desk.clock.advance(timedelta(days=89).total_seconds())
        await desk.services.privacy.sweep()
        assert (await desk.job()).inputs["prompt"] == "a red kite"
        desk.clock.advance(timedelta(days=2).total_seconds())
        await desk.services.privacy.sweep()
        job = await desk.job()
        assert (job.inputs, job.output_url, job.settled) == ({}, None, 8)


async def test_forget_me_erases_what_one_wrote_and_made_and_keeps_the_amounts(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.maya.slash(desk.channel, "studio", prompt="a secret")
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        mine = await desk.job()
        (tmp_path / "spool").mkdir()
        picture = tmp_path / "spool" / f"{mine.id}.output.png"
        picture.write_bytes(b"picture")
        mine = await desk.move(mine, *states, output_file=picture.name, announced_at=desk.clock.now())
        await desk.settle(mine, 8)
        await desk.tom.slash(desk.channel, "studio", prompt="not to be touched")
        told = await desk.maya.slash(desk.channel, "forget-me")
        assert "of 1 jobs are erased" in texts(told)
        job = await desk.services.jobs.get(mine.id)
        assert job is not None
        assert (job.inputs, job.output_file, job.settled) == ({}, None, 8)
        assert not picture.exists()
        assert (await desk.job()).inputs["prompt"] == "not to be touched"
        # While the budget's period lasts, an allowance must not be had twice; then the name goes.
        assert (await desk.services.credits.member(desk.guild.id, desk.maya.id)).usage.settled == 8
        desk.clock.advance(timedelta(days=1).total_seconds())
        await desk.services.privacy.sweep()
        job = await desk.services.jobs.get(mine.id)
        assert job is not None
        assert (job.user_id, job.settled) == (0, 8)
        async with desk.storage.read() as tx:
            assert {line.user_id for line in await tx.ledger.entries(job_id=mine.id)} == {0}


async def test_forget_me_takes_ones_name_off_grants_of_past_periods_and_keeps_what_protects(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        await desk.services.limits.grant(desk.guild.id, desk.maya.id, 5)
        await desk.services.limits.grant(desk.guild.id, desk.tom.id, 7)
        await desk.services.limits.set_allowance(desk.guild.id, AllowanceOf.MEMBER, desk.maya.id, 20)
        await desk.services.access.set_photo_refusal(desk.maya.id, refuses=True)
        await desk.maya.slash(desk.channel, "studio", prompt="a secret")
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        await desk.settle(await desk.move(await desk.job(), *states, announced_at=desk.clock.now()), 8)
        await desk.services.access.block(desk.guild.id, desk.maya.id)
        await desk.maya.slash(desk.channel, "forget-me")
        assert (await desk.services.limits.grants(desk.guild.id)).members[desk.maya.id] == 5
        desk.clock.advance(timedelta(days=1).total_seconds())
        await desk.services.privacy.sweep()
        async with desk.storage.read() as tx:
            lines = await tx.ledger.entries(guild_id=desk.guild.id)
        assert {(line.user_id, line.amount) for line in lines if line.job_id is None} == {
            (0, 5),
            (desk.tom.id, 7),
        }
        # What would be had by asking to be forgotten, or be lost by it, stays.
        assert desk.maya.id in (await desk.services.access.rules(desk.guild.id)).blocked
        assert await desk.services.access.refuses_photos(desk.maya.id)
        state = await desk.services.limits.of_member(desk.guild.id, desk.maya.id, ())
        assert state.whole == 20


async def test_a_removal_ends_what_is_being_made_at_what_studii_said_it_costs(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
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
            assert await tx.ledger.discrepancies() == []


async def test_a_lost_encryption_key_asks_each_admin_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await enter_key(desk)
        assert await desk.services.keys.lost() == []
        async with desk.storage.write() as tx:
            (key,) = await tx.keys.all()
            await tx.keys.replace_ciphertext(key.id, b"sealed with a key that is gone")
        assert "can't be read any more" in texts(await desk.admin.slash(desk.channel, "studii setup"))
        assert await desk.services.keys.lost() == [desk.guild.id]
        assert await desk.services.keys.lost() == []


async def ciphertexts(storage: Storage) -> list[bytes]:
    async with storage.read() as tx:
        return [key.ciphertext for key in await tx.keys.all()]
