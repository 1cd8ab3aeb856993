"""Results that members star are shown in a channel for the best, with their makers' consent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import discord
import pytest
from PIL import Image
from sqlalchemy import select

from bot import posts
from bot.db import Database
from bot.engine.posts import Month, Starred
from bot.jobs import best_results
from bot.jobs.models import Job, JobState
from bot.posts import BEST, MONTH, Never, Outcome, Post
from bot.servers import settings
from bot.servers.settings import GuildSettings
from bot.ui.kit.forms import DEFAULT_LIMIT
from tests.delivery.finished import finished, output, posted
from tests.support.decoders import SharedDecoders
from tests.support.desk import Desk, pieces
from tests.support.jobs import NOW, accepted
from tests.support.simulated import delivery_on


async def test_a_busy_server_does_not_hide_the_results_of_others_after_an_absence(db: Database) -> None:
    for guild_id in (2, 1, 1):
        await db.write(settings.change, guild_id, best_channel_id=5)
        await accepted(db, guild_id=guild_id, state=JobState.SUCCEEDED, result_message_id=9)
    found = await db.read(best_results.recent, NOW - timedelta(days=1), 2)
    assert sorted(place[0] for place in found) == [1, 2]


async def shown_at(db: Database, message_id: int, at: datetime, **changes: Any) -> None:
    """Store a result that is shown in the channel for the best."""
    made = {"state": JobState.SUCCEEDED, "result_message_id": message_id, "finished_at": at, **changes}
    job = await accepted(db, guild_id=1, **made)
    there: dict[str, Any] = {"place": "c5", "message_id": message_id + 100, "job_id": job.id}
    await db.write(lambda session: posts.want(session, 1, BEST, str(message_id), at=at, **there))


async def months_at(db: Database, at: datetime) -> Sequence[Post]:
    """Let the periodic tasks be done, and return the months that are shown then."""
    await db.write(best_results.want_months, at, at - timedelta(days=best_results.MONTH_DAYS))
    return await db.read(lambda session: session.scalars(select(Post).filter_by(kind=MONTH)).all())


@pytest.mark.promise
async def test_a_month_is_shown_where_an_admin_wants_it_once_from_its_end_and_not_late(db: Database) -> None:
    end, day = datetime(2026, 6, 1, 4, tzinfo=UTC), timedelta(days=1)  # midnight in New York
    await db.write(settings.change, 1, best_channel_id=5, timezone="America/New_York")
    await shown_at(db, 7, NOW)
    await shown_at(db, 8, NOW, private=True)
    await shown_at(db, 9, end)
    assert not await months_at(db, end)  # it is off
    await db.write(settings.change, 1, best_months=True)
    for early_or_late in (end - timedelta(seconds=1), end - 31 * day, end + 3 * day):
        assert not await months_at(db, early_or_late)
    (month,) = await months_at(db, end)
    assert (month.key, month.place) == ("2026-05", "c5")
    for later in (end + day, end - 2 * day, end + 61 * day):  # the clock may jump
        assert len(await months_at(db, later)) == 1
    results, made = await db.read(best_results.of_month, 1, month.key, end + 3 * day) or ((), 0)
    assert [(post.key, job.private) for post, job in results] == [("7", False)]
    assert made == 1
    assert await db.read(best_results.of_month, 1, month.key, end + 4 * day) is None


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
    path = tmp_path / "noise.png"
    Image.effect_noise((1600, 1200), 60).save(path)
    message = await channel.send(view=view, files=[discord.File(path, one) for one in names])
    best = best_of(desk, job, message, there)
    await show(desk, best, job)
    (found,) = await shown_in(desk, there)
    best.message_id = found.id
    month = replace(best, kind=MONTH, key="2026-05", message_id=None)
    month.id = 2
    delivery = delivery_on(desk.bot, desk.bot.catalog, SharedDecoders())
    await delivery.send(month, Month([(best, job)], 7, GuildSettings(0)))
    shown = await shown_in(desk, there)
    galleries = [one["items"] for message in shown for one in pieces(message) if one["type"] == 12]
    assert [[item["spoiler"] for item in items] for items in galleries] == [[True], [True]]
    smaller = next(one for one in shown[0].attachments + shown[1].attachments if one.filename.endswith("jpg"))
    assert smaller.size < DEFAULT_LIMIT / 10 < path.stat().st_size
    assert b"TrainedAlgorithmicMedia" in await smaller.read()


async def test_a_result_whose_file_the_cdn_does_not_give_is_not_tried_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, best = await starred(desk, tmp_path, desk.channel_for_the_bot("best-of").id)
    forbidden: Any = SimpleNamespace(status=403, reason="Forbidden")
    refused = AsyncMock(side_effect=discord.Forbidden(forbidden, "asset"))
    monkeypatch.setattr(desk.bot.http, "get_from_cdn", refused)
    assert isinstance(await show(desk, best, job), Never)
