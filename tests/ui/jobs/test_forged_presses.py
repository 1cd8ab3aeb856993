"""A button does something in its own server alone, whatever custom id a changed app sends from another."""

import discord
import pytest
from simcord import MemberActor

from bot.jobs import queries
from bot.jobs.models import FORGOTTEN_MEMBER, Job, JobState
from bot.servers import keys
from bot.ui.panels.controls import _controls  # pyright: ignore[reportPrivateUsage]
from tests.support.desk import Desk, texts
from tests.support.presses import press

OF_JOBS = [
    *(first for first, kinds in _controls.items() if kinds[0].pattern == f"{first}:{{job_id}}-{{posting}}"),
]
# Each has a job, for whose credits there is room.
SOME = [OF_JOBS[n : n + 8] for n in range(0, len(OF_JOBS), 8)]
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
REFUSALS = (
    "no such job here",
    "already settled",
    "was already deleted",
    "Only the person who asked",
    "show the original photo",
)


@pytest.fixture(autouse=True)
def _any_number_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.servers.key_entry.TESTS", 1000)  # the tests here share a server


def elsewhere(desk: Desk, name: str = "maya") -> tuple[MemberActor, int]:
    """The same person as an admin of another server that has the bot, and a channel there."""
    other = desk.env.create_guild("Elsewhere")
    everything = other.create_role("Admin", permissions=discord.Permissions(administrator=True))
    channel = other.create_text_channel("there")
    person = {"maya": desk.maya, "tom": desk.tom}[name]
    return other.add_member(person.user, roles=[everything]), channel.id


async def job_in(desk: Desk, *states: JobState) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.job()
    return await desk.move(job, *states) if states else job


async def jobs(desk: Desk) -> list[tuple[str, JobState]]:
    return [(job.id, job.state) for job in await desk.db.read(queries.in_states, list(JobState))]


@pytest.mark.promise
@pytest.mark.parametrize("actions", SOME, ids=lambda actions: f"from {actions[0]}")
@pytest.mark.parametrize("who", ["maya", "tom"])
async def test_a_button_that_names_a_job_of_another_server_does_nothing(
    desk: Desk, subtests: pytest.Subtests, actions: list[str], who: str
) -> None:
    for action in actions:
        with subtests.test(action):
            await nothing_is_done(desk, action, who)


async def nothing_is_done(desk: Desk, action: str, who: str) -> None:
    states = {"charged": (*DONE[:2], JobState.UNKNOWN), "cancel": ()}
    states["release"] = states["charged"]
    job = await job_in(desk, *states.get(action, DONE))
    before = await jobs(desk)
    person, channel_id = elsewhere(desk, who)
    if action == "delete":
        # Managing messages, they may delete any message of the bot's there: that one alone.
        desk.env.backend.get_guild(person.guild.id).members[person.id].role_ids.clear()
    forged = f"studii:{action}:{job.id}-{job.posting}"
    message = await desk.channel_message(forged, channel_id)
    told = await press(desk, person, message, forged)
    assert told.modal is None
    assert any(words in texts(told) for words in REFUSALS), texts(told)
    assert await jobs(desk) == before
    assert desk.env.backend.get_message(channel_id, message.id)


@pytest.mark.promise
@pytest.mark.parametrize("action", ["cancel", "post", "show", "again"])
async def test_nor_does_a_line_of_another_servers_list(desk: Desk, action: str) -> None:
    job = await job_in(desk, *(() if action == "cancel" else DONE))
    before = await jobs(desk)
    person, channel_id = elsewhere(desk)
    forged = f"studii:listed:{action}:{job.id}:mine:0"
    message = await desk.channel_message(forged, channel_id)
    assert "no such job here" in texts(await press(desk, person, message, forged))
    assert await jobs(desk) == before


@pytest.mark.promise
async def test_nor_does_forget_with_the_key_of_another_server_or_its_try_again(desk: Desk) -> None:
    key = await desk.services.db.read(keys.current, desk.guild.id)
    assert key is not None
    person, channel_id = elsewhere(desk)
    for forged, words in (
        (f"studii:setup:forget:{key.id}", "a different key"),
        (f"studii:tryagain:{desk.guild.id}", "belongs to another server"),
    ):
        message = await desk.channel_message(forged, channel_id)
        assert words in texts(await press(desk, person, message, forged))
    assert await desk.services.db.read(keys.current, desk.guild.id) == key


@pytest.mark.promise
async def test_a_job_of_ones_own_gives_no_right_to_delete_anothers_message(desk: Desk) -> None:
    job = await job_in(desk, *DONE)
    forged = f"studii:delete:{job.id}-0"
    someone_elses = await desk.channel_message("studii:delete:0123456789abcdef-0")
    told = await press(desk, desk.maya, someone_elses, forged)
    assert "isn't in the message any more" in texts(told)
    assert someone_elses.id in {message.id for message in desk.channel.history()}


@pytest.mark.promise
async def test_manage_messages_in_one_channel_gives_no_right_over_jobs_of_another(desk: Desk) -> None:
    job = await job_in(desk)
    role = desk.guild.create_role("Helpers")
    ines = desk.guild.add_member(desk.env.create_user("ines"), roles=[role])
    helped = desk.guild.create_text_channel(
        "helped", overwrites={role: discord.PermissionOverwrite(manage_messages=True)}
    )
    cancel = f"studii:cancel:{job.id}-0"
    message = await desk.channel_message(cancel, helped.id)
    told = await press(desk, ines, message, cancel)
    assert "a moderator (Manage Messages" in texts(told)
    assert (await desk.job()).state is JobState.WAITING
    await desk.move(await desk.job(), *DONE, result_message_id=(await desk.channel_message("x")).id)
    delete = f"studii:logdelete:{job.id}-0"
    told = await press(desk, ines, await desk.channel_message(delete, helped.id), delete)
    assert "Manage Messages in the result's channel" in texts(told)
    assert job.user_id != FORGOTTEN_MEMBER
