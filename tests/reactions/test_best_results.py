"""Results that members star are shown in a channel for the best, with their makers' consent."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from bot.features import posting
from bot.jobs import best_results
from sandbox.studii import Options, StudiiServer
from tests.support.desk import texts
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
        await stage.app.services.db.write(posting.change, world.guild.id, **rules)
        fans = [world.guild.add_member(world.env.create_user(name)) for name in ("ann", "bob", "cem")]
        result = await stage.result(world.maya, "A red kite")
        yield Stars(stage, world.maya, best, result, world.tom, world.admin, fans)


async def test_with_enough_stars_and_its_makers_consent_a_result_is_shown_until_it_loses_them(
    tmp_path: Path,
) -> None:
    async with a_starred_server(tmp_path) as stars:
        await stars.star(stars.maya, stars.tom)  # one's own doesn't count
        await stars.settle()
        where = stars.stage.world.guild.id, stars.result.id
        assert await stars.stage.app.services.db.read(best_results.get, *where) is None
        await stars.star(stars.fans[0])
        (question,) = await until(stars.told, "Maya to be asked")
        assert not stars.best.history()
        await stars.maya.user.click(question, label="Show my results")
        assert "from now on" in texts(stars.told()[-1])
        message = await stars.shown()
        assert f"by <@{stars.maya.id}>" in texts(message)
        assert "Made with AI" in texts(message)
        assert "A red kite" not in texts(message)
        assert not message.mentions or not message.mention_everyone
        (file,) = message.attachments
        assert await file.read() == await stars.result.attachments[0].read()

        await stars.star(*stars.fans)
        await stars.unstar(stars.tom, stars.fans[0])
        await stars.settle()
        assert stars.best.history()  # two are left
        await stars.stage.restart()
        await stars.unstar(stars.fans[1])
        await stars.taken_back()
        await stars.star(stars.fans[1])
        await stars.shown()
        asked: Any = stars.result
        for label in ("More…", "Delete", "Delete"):
            asked = (await stars.maya.click(asked, label=label)).response
        await stars.taken_back()


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
        await stars.star(stars.tom)
        await stars.unstar(stars.tom)
        await stars.settle()
        assert stars.best.history()  # the moderator's is there
        shown = await stars.maya.slash(world.channel, "settings")
        assert shown.response is not None
        await stars.maya.click(shown.response, custom_id="studii:put:settings:starred:off")
        await stars.taken_back()


async def test_fans_who_have_left_do_not_hide_a_moderators_star(tmp_path: Path) -> None:
    async with a_starred_server(tmp_path) as stars:
        world = stars.stage.world
        await stars.agree()
        await stars.stage.app.services.db.write(posting.change, world.guild.id, best_stars=4)
        role = world.guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
        moderator = world.guild.add_member(world.env.create_user("mia"), roles=[role])
        lea = world.guild.add_member(world.env.create_user("lea"))
        await stars.star(stars.tom, moderator)
        await stars.shown()
        await stars.star(lea, stars.fans[0])
        for one in (stars.tom, lea):  # whichever Discord lists before the moderator
            left = f"/guilds/*/members/{one.id}"
            world.env.inject_error("GET", left, status=404, code=10007, times=None)
        await stars.unstar(stars.fans[0])
        await stars.settle()
        assert stars.best.history()


async def test_stars_that_discord_does_not_show_at_first_are_counted_a_little_later(tmp_path: Path) -> None:
    async with a_starred_server(tmp_path) as stars:
        await stars.agree()
        await stars.star(stars.tom)
        await stars.settle()
        one = f"/channels/{stars.result.channel.id}/messages/{stars.result.id}"
        stars.stage.world.env.inject_error("GET", one, status=503, times=1)
        await stars.star(stars.fans[0])
        await stars.shown()


async def test_a_result_that_the_bot_may_not_see_any_more_is_not_among_the_best(tmp_path: Path) -> None:
    async with a_starred_server(tmp_path) as stars:
        await stars.agree()
        await stars.star(stars.tom, stars.fans[0])
        await stars.shown()
        one = f"/channels/{stars.result.channel.id}/messages/{stars.result.id}"
        stars.stage.world.env.inject_error("GET", one, status=403, code=50001, times=None)
        await stars.unstar(stars.tom)
        await stars.taken_back()
