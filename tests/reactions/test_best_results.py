"""Results that members star are shown in a channel for the best, with their makers' consent."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from bot.db import Database
from bot.engine.posts import Starred
from bot.jobs import best_results
from bot.jobs.best_results import BEST
from bot.jobs.models import Job, JobState
from bot.posts import Never, Outcome, Post
from bot.servers import settings
from bot.servers.settings import GuildSettings
from sandbox.studii import Options, StudiiServer
from tests.delivery.finished import finished, output, posted
from tests.support.desk import Desk, pieces
from tests.support.jobs import NOW, accepted
from tests.support.patience import until
from tests.support.stage import Stage, open_stage

STAR = "⭐"


def unheard(event: str, payload: Mapping[str, Any]) -> None:
    """Tell the bot nothing, as while it is away."""


@dataclass
class Stars:
    """A server that shows its best results, and one result of Maya's."""

    stage: Stage
    maya: MemberActor
    best: ChannelHandle
    result: discord.Message
    tom: MemberActor
    nora: MemberActor
    fans: list[MemberActor]

    async def agree(self) -> None:
        """Maya lets her results be shown."""
        services = self.stage.app.services
        agreed = (self.maya.id, services.clock.now())
        await services.db.write(best_results.answer, *agreed, agreed=True)

    async def star(self, *who: MemberActor) -> None:
        for one in who:
            await one.react(self.result, STAR)

    async def unstar(self, *who: MemberActor) -> None:
        for one in who:
            await one.unreact(self.result, STAR)

    def told(self) -> list[discord.Message]:
        """The bot's direct messages to Maya."""
        channel = self.maya.user.dm_channel
        return channel.history()

    async def shown(self) -> discord.Message:
        return (await until(self.best.history, "the result among the best"))[0]

    async def taken_back(self) -> None:
        await until(lambda: not self.best.history(), "the result to be removed from the best")

    async def settle(self) -> None:
        await self.stage.world.env.settle()


@asynccontextmanager
async def a_starred_server(folder: Path) -> AsyncGenerator[Stars]:
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, folder) as stage,
    ):
        world = stage.world
        best = world.guild.create_text_channel("best-of")
        await stage.set_key(studii.add_key("team").secret)
        rules: dict[str, Any] = {"best_channel_id": best.id, "best_stars": 2}
        await stage.app.services.db.write(settings.change, world.guild.id, **rules)
        fans = [world.guild.add_member(world.env.create_user(name)) for name in ("ann", "bob", "cem")]
        result = await stage.result(world.maya, "A red kite")
        yield Stars(stage, world.maya, best, result, world.tom, world.admin, fans)


@pytest.mark.promise
async def test_stars_that_came_and_went_while_the_bot_was_away_count_after_its_start(tmp_path: Path) -> None:
    async with a_starred_server(tmp_path) as stars:
        await stars.agree()
        backend = stars.stage.world.env.backend
        emit = backend.emit
        backend.emit = unheard
        for one in stars.fans[:2]:
            backend.set_reaction(stars.result.channel.id, stars.result.id, STAR, one.id, True)
        backend.emit = emit
        await stars.stage.restart()
        await stars.shown()


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["manage_messages", "manage_guild"])
async def test_a_moderators_star_is_enough_and_withdrawn_consent_takes_it_back(
    tmp_path: Path, permission: str
) -> None:
    async with a_starred_server(tmp_path) as stars:
        world = stars.stage.world
        await stars.agree()
        role = world.guild.create_role("Mods", permissions=discord.Permissions(**{permission: True}))
        moderator = world.guild.add_member(world.env.create_user("mia"), roles=[role])
        await stars.star(moderator)
        await stars.shown()
        assert not [one for one in world.env.http_requests if "/members/" in one.path]
        await stars.star(stars.tom)
        await stars.unstar(stars.tom)
        await stars.settle()
        assert stars.best.history()  # the moderator's is there
        shown = await stars.maya.slash(world.channel, "settings")
        assert shown.response is not None
        await stars.maya.click(shown.response, custom_id="studii:put:settings:starred:off")
        await stars.taken_back()


async def test_a_busy_server_does_not_hide_the_results_of_others_after_an_absence(db: Database) -> None:
    for guild_id in (2, 1, 1):
        await db.write(settings.change, guild_id, best_channel_id=5)
        await accepted(db, guild_id=guild_id, state=JobState.SUCCEEDED, result_message_id=9)
    found = await db.read(best_results.recent, NOW - timedelta(days=1), 2)
    assert sorted(place[0] for place in found) == [1, 2]


def best_of(desk: Desk, job: Job, message: discord.Message, there: int) -> Post:
    about: dict[str, Any] = {"channel": message.channel.id, "message": message.id}
    now = desk.clock.now()
    post = Post(desk.guild.id, BEST, str(message.id), now, now, f"c{there}", now, about, job_id=job.id)
    post.id = 1
    return post


async def show(desk: Desk, post: Post, job: Job) -> Outcome:
    return await desk.delivery.send(post, Starred(job, GuildSettings(0, best_channel_id=int(post.place[1:]))))


async def starred(desk: Desk, folder: Path, there: int) -> tuple[Job, Post]:
    job = await finished(desk)
    return job, best_of(desk, job, await posted(desk, job, output(folder)), there)


async def shown_in(desk: Desk, channel_id: int) -> list[discord.Message]:
    channel = desk.bot.get_channel(channel_id)
    assert isinstance(channel, discord.TextChannel)
    return [one async for one in channel.history()]


@pytest.mark.promise
async def test_nothing_leaves_an_age_restricted_or_hidden_channel(desk: Desk, tmp_path: Path) -> None:
    there = desk.channel_for_the_bot("best-of").id
    job, best = await starred(desk, tmp_path, there)
    assert await show(desk, best, replace(job, age_restricted=True)) == Never()
    staff = desk.guild.create_text_channel(
        "staff", overwrites={desk.guild.default_role: discord.PermissionOverwrite(view_channel=False)}
    )
    await desk.env.settle()
    best.details = {**best.details, "channel": staff.id}
    assert await show(desk, best, job) == Never()
    assert not await shown_in(desk, there)


@pytest.mark.promise
async def test_what_is_hidden_stays_behind_a_spoiler_and_the_photo_before_is_left_out(
    desk: Desk, tmp_path: Path
) -> None:
    there = desk.channel_for_the_bot("best-of").id
    job = await finished(desk)
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    names = ("studio-1.png", "before-1.png")
    view = discord.ui.LayoutView()
    view.add_item(
        discord.ui.MediaGallery(
            *(discord.MediaGalleryItem(f"attachment://{one}", spoiler=True) for one in names)
        )
    )
    path = output(tmp_path).path
    message = await channel.send(view=view, files=[discord.File(path, one) for one in names])
    await show(desk, best_of(desk, job, message, there), job)
    (found,) = await shown_in(desk, there)
    (item,) = next(one["items"] for one in pieces(found) if one["type"] == 12)
    assert item["spoiler"] is True


async def test_a_result_whose_file_the_cdn_does_not_give_is_not_tried_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, best = await starred(desk, tmp_path, desk.channel_for_the_bot("best-of").id)
    forbidden: Any = SimpleNamespace(status=403, reason="Forbidden")
    refused = AsyncMock(side_effect=discord.Forbidden(forbidden, "asset"))
    monkeypatch.setattr(desk.bot.http, "get_from_cdn", refused)
    assert isinstance(await show(desk, best, job), Never)
