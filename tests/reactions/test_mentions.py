"""Members who mention the bot: with a photo, with words, under somebody's photo, or with nothing."""

from typing import Any

import discord
import pytest
from simcord import MemberActor

from bot import posts
from bot.aio import tasks
from bot.client.login import intents_for
from bot.errors import DatabaseAway
from tests.reactions.taps import ROOM, post
from tests.support.desk import Desk, make_bot, texts
from tests.support.patience import until
from tests.support.posts import open_posts
from tests.support.settings import limit_tool

HALL = ("hall.png", ROOM[1])


async def mention(
    desk: Desk,
    who: MemberActor,
    words: str = "",
    *files: tuple[str, bytes],
    under: discord.Message | None = None,
) -> discord.Message:
    """Mention the bot, and return the message."""
    user = desk.bot.user if desk.env.bot.user is None else desk.env.bot.user
    assert user is not None
    said = f"<@{user.id}> {words}".strip()
    return await who.send(desk.channel, said, attachments=list(files), reply_to=under)


def answer_to(desk: Desk, message: discord.Message) -> discord.Message | None:
    replies = [
        one
        for one in desk.channel.history()
        if one.author.bot and one.reference is not None and one.reference.message_id == message.id
    ]
    return replies[-1] if replies else None


async def without_the_intent(desk: Desk) -> None:
    desk.env.approved_intents = discord.Intents.none()
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources, intents=intents_for(photos=False))
    await desk.env.restart_bot(bot)


@pytest.mark.promise
async def test_words_and_a_photo_are_studios_prompt_and_photo(desk: Desk) -> None:
    message = await mention(desk, desk.maya, "at night", ROOM)
    answer = answer_to(desk, message)
    assert answer is not None
    await desk.maya.click(answer, label="Studio · about 8 credits")
    job = await desk.job()
    assert job.source is not None
    assert (job.inputs["prompt"], job.inputs["source"]) == ("at night", "image")


@pytest.mark.promise
async def test_of_several_photos_the_form_asks_which(desk: Desk) -> None:
    answer = answer_to(desk, await mention(desk, desk.maya, "at night", ROOM, HALL))
    assert answer is not None
    form = await desk.maya.click(answer, label="Studio · about 8 credits")
    await desk.maya.submit_modal(form, {"image": ["1"], "prompt": "at night"})
    job = await desk.job()
    assert job.source is not None
    assert (job.source.filename, job.inputs["prompt"]) == ("hall.png", "at night")


@pytest.mark.promise
async def test_under_somebodys_photo_it_is_that_photo_if_the_bot_may_see_it(desk: Desk) -> None:
    photo = await post(desk, desk.tom, ROOM)
    answer = answer_to(desk, await mention(desk, desk.maya, under=photo))
    assert answer is not None
    await desk.maya.click(answer, label="Photo restoration · about 8 credits")
    job = await desk.job()
    assert (job.user_id, job.photo_author) == (desk.maya.id, desk.tom.id)
    await without_the_intent(desk)
    told = answer_to(desk, await mention(desk, desk.maya, under=photo))
    assert "Use the photo's own menu" in texts(told)
    assert "charged" not in texts(told)


@pytest.mark.promise
async def test_without_words_and_photo_it_explains_itself(desk: Desk) -> None:
    told = answer_to(desk, await mention(desk, desk.maya))
    assert len(texts(told).splitlines()) == 3
    assert "`/help`" in texts(told)
    assert told is not None
    shown = await desk.tom.click(told, label="Show help")
    assert shown.ephemeral
    assert texts(shown) == texts(await desk.tom.slash(desk.channel, "help"))


@pytest.mark.promise
async def test_an_offer_that_can_not_be_stored_at_once_is_made_once_and_stored_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores, failures = posts.want, [DatabaseAway() for _ in range(3)]

    def away(*values: Any, **more: Any) -> None:
        if failures:
            raise failures.pop()
        stores(*values, **more)

    monkeypatch.setattr(posts, "want", away)
    monkeypatch.setattr(tasks, "OUTAGE_PAUSE", 0.01)
    asked = await mention(desk, desk.maya, "a red kite")

    async def stored() -> bool:
        return bool(await desk.db.read(open_posts))

    await until(stored, "stored")
    answers = [one for one in desk.channel.history() if one.id > asked.id]
    assert len(answers) == 1


@pytest.mark.world(key=False)
async def test_where_nothing_is_accepted_it_says_why(desk: Desk) -> None:
    told = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
    assert "no Studii key yet" in texts(told)
    await desk.set_key()
    roles = desk.guild.create_role("Staff")
    await desk.resources.db.write(limit_tool, desk.guild.id, None, role_id=roles.id, channel_id=None)
    # A second mention within seconds is answered too.
    told = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
    assert f"only for <@&{roles.id}>" in texts(told)
