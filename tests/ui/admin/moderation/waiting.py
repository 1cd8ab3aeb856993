"""Requests that wait for a moderator, as the engine posts them."""

from typing import Any

import discord
from simcord import ChannelHandle, MemberActor
from sqlalchemy import text

from bot.features.words import rules
from bot.jobs import transitions
from bot.jobs.models import JobState
from bot.jobs.results import ForModerators
from bot.media.spool import OutputFile
from bot.posts import Post, Stands
from bot.servers import access
from bot.servers.notices import NoticeKind
from tests.support.database import given
from tests.support.desk import Desk, texts
from tests.support.posts import deliver, open_posts, sent
from tests.support.settings import change


async def approvals(desk: Desk, **options: Any) -> ChannelHandle:
    """Turn approvals on; everyone's requests wait unless `options` say otherwise."""
    await desk.set_key()
    channel = desk.guild.create_text_channel("requests")
    options = options or {"approval_everyone": True}
    given = {"approval_channel": channel.id, **options}
    await desk.resources.db.write(access.change_approvals, desk.guild.id, **given)
    return channel


def moderator(desk: Desk, name: str = "ines") -> MemberActor:
    permissions = discord.Permissions(manage_messages=True)
    role = desk.guild.create_role(f"Moderators {name}", permissions=permissions)
    return desk.guild.add_member(desk.env.create_user(name), roles=[role])


async def decline(moderating: MemberActor, message: discord.Message, reason: str = "") -> Any:
    """Press Decline, and send the form with that reason."""
    form: Any = await moderating.click(message, label="Decline")
    field = form.modal["components"][0]["component"]["custom_id"]
    return await moderating.submit_modal(form, {field: reason})


async def asked(desk: Desk, channel: ChannelHandle, *photos: OutputFile) -> discord.Message:
    """Do what the engine does: the job waits for approval, and its request is posted."""
    job = await desk.job()
    pending = await desk.db.write(transitions.make_ready, job.id, None, desk.clock.now())
    assert pending is not None
    assert pending.state is JobState.PENDING
    waiting = await desk.db.read(open_posts)
    (notice,) = [one for one in waiting if one.kind == NoticeKind.APPROVAL]
    found = await desk.resources.db.read(rules, desk.guild.id)
    shown = ForModerators((pending,), photos, rules={one.key: one.words for one in found})
    assert isinstance(await deliver(desk, notice, channel.id, pending, shown), Stands)
    await desk.db.write(given(sent, notice, desk.clock.now()))
    return channel.history()[-1]


async def ask(desk: Desk, channel: ChannelHandle, **options: Any) -> discord.Message:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite @everyone", **options)
    return await asked(desk, channel)


REFUSED = "This server's word filter doesn't allow that. Change the wording and try again"


async def forbid(desk: Desk, *words: str) -> str:
    """An admin adds rules; the last answer is returned."""
    said = ""
    for one in words:
        said = await change(desk, "moderation words", "rules", words=one, then=["refuse"])
    return said


async def notices(desk: Desk) -> list[dict[str, str | int | None]]:
    pending = await desk.db.read(open_posts)
    return [dict(one.details) for one in pending if one.kind == NoticeKind.WORDS]


async def kept(desk: Desk) -> str:
    """Return the details of all notices, as the database has them."""
    asked = text("SELECT details FROM posts")
    return str(await desk.resources.db.read(lambda session: session.execute(asked).all()))


async def last_notice(desk: Desk) -> Post:
    waiting = await desk.db.read(open_posts)
    return [one for one in waiting if one.kind != NoticeKind.CHANGED][-1]


async def posted(desk: Desk) -> str:
    """Post the last notice in a log channel, and return what is read there."""
    log = desk.guild.create_text_channel("log")
    await deliver(desk, await last_notice(desk), log.id, None)
    return texts(log.history()[-1])
