"""Starred results: asked about once, shown, taken back, and what admins are told of a lost channel."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs import best_results
from bot.jobs.best_results import BestResult
from bot.jobs.delivery import Announcement, ChannelGone, Posted, TryLater
from bot.jobs.models import Job, JobState
from bot.servers import privacy
from bot.servers.notices import NoticeKind
from tests.engine.world import EngineWorld, engine_world
from tests.support.database import given
from tests.support.jobs import a_job, keep_job

GUILD, MAYA, MESSAGE, PLACE = 100, 3, 7, 9


@dataclass
class Shown:
    """A showcase that remembers what it was told, and answers as it is told."""

    answers: list[Announcement | ChannelGone] = field(default_factory=list[Announcement | ChannelGone])
    asked: list[int] = field(default_factory=list[int])
    said_of_questions: Announcement = field(default_factory=lambda: Posted(80))
    hidden: list[int] = field(default_factory=list[int])

    async def show(self, best: BestResult, job: Job, rules: PostingRules) -> Announcement | ChannelGone:
        return self.answers.pop(0) if self.answers else Posted(70 + best.number, PLACE)

    async def hide(self, best: BestResult, rules: PostingRules) -> float | None:
        self.hidden.append(best.posted_message_id or 0)
        return None

    async def ask(self, best: BestResult, job: Job, rules: PostingRules) -> Announcement:
        self.asked.append(best.user_id)
        return self.said_of_questions


async def starred(world: EngineWorld, *messages: int, ago: timedelta = timedelta()) -> None:
    """Store results that got the stars so long ago, in a server that shows its best ones."""
    now = world.clock.now() - ago
    await world.db.write(posting.change, GUILD, best_channel_id=PLACE)
    for one in messages:
        made = {"state": JobState.SUCCEEDED, "announced_at": now, "result_message_id": one}
        job = replace(a_job(guild_id=GUILD, user_id=MAYA), **made)
        await world.db.write(given(keep_job, job))
        await world.db.write(best_results.want, one, GUILD, 2, job.id, MAYA, now)


async def row(world: EngineWorld, message: int = MESSAGE) -> BestResult | None:
    return await world.db.read(best_results.get, message)


async def test_a_maker_is_asked_once_and_their_results_are_shown_when_they_agree(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await starred(world, MESSAGE, MESSAGE + 1)
        showcase = Shown([TryLater(0.0)])
        async with world.running(world.engine(showcase=showcase)):

            async def asked() -> bool:
                return await world.db.read(best_results.consent, MAYA) is not None

            async def shown() -> bool:
                found = [await row(world, one) for one in (MESSAGE, MESSAGE + 1)]
                return all(one is not None and one.posted_message_id for one in found)

            async def gone() -> bool:
                return await row(world) is None and await row(world, MESSAGE + 1) is None

            await world.until(asked, "the maker to be asked")
            await world.db.write(best_results.answer, MAYA, world.clock.now(), agreed=True)
            await world.until(shown, "both to be shown")
            await world.db.write(privacy.forget_member, MAYA, world.clock.now())
            await world.until(gone, "both to be taken back")
        assert showcase.asked == [MAYA]
        assert showcase.hidden == [70, 70]


@pytest.mark.promise
async def test_admins_are_told_once_of_a_channel_for_the_best_that_is_lost(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await starred(world, MESSAGE, MESSAGE + 1)
        await world.db.write(best_results.answer, MAYA, world.clock.now(), agreed=True)
        async with world.running(
            world.engine(showcase=Shown([ChannelGone("closed"), ChannelGone("closed")]))
        ):

            async def told() -> bool:
                left = [await row(world), await row(world, MESSAGE + 1)]
                return left == [None, None] and bool(world.discord.notices)

            await world.until(told, "the admins to be told")
        kinds = [notice.kind for notice, _, _ in world.discord.notices]
        assert kinds == [NoticeKind.BEST_LOST]


async def test_a_question_that_discord_does_not_take_for_a_day_is_asked_with_the_next_result(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await starred(world, MESSAGE, ago=timedelta(days=2))
        showcase = Shown(said_of_questions=TryLater(0.0))
        async with world.running(world.engine(showcase=showcase)):

            async def given_up() -> bool:
                return await row(world) is None

            async def asked() -> bool:
                return await world.db.read(best_results.consent, MAYA) is not None

            await world.until(given_up, "the question to be given up")
            showcase.said_of_questions = Posted(80)
            await starred(world, MESSAGE + 1)
            await world.until(asked, "the maker to be asked")
        assert showcase.asked == [MAYA, MAYA]
