"""Members who mention the bot: with a photo, with words, under somebody's photo, or with nothing."""

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import MemberActor

from bot import posts
from bot.aio import tasks
from bot.client.login import mention_intents
from bot.credits import prices
from bot.errors import DatabaseAway
from bot.posts import Gone, Later
from bot.reactions.mentions import OFFERED_FOR
from bot.servers import keys
from tests.reactions.taps import ROOM, jobs_of, post
from tests.support.desk import Desk, make_bot, open_desk, pieces, texts
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


def offered(message: discord.Message | None) -> list[str]:
    assert message is not None
    return [str(piece["label"]) for piece in pieces(message) if piece["type"] == 2]


async def without_the_intent(desk: Desk) -> None:
    desk.env.approved_intents = discord.Intents.none()
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services, intents=mention_intents())
    await desk.env.restart_bot(bot)


@pytest.mark.promise
async def test_words_after_it_are_a_prompt_for_studio(desk: Desk) -> None:
    message = await mention(desk, desk.maya, "a red kite @everyone")
    answer = answer_to(desk, message)
    assert answer is not None
    assert offered(answer) == ["Studio · about 8 credits"]
    assert "a red kite" in texts(answer)
    await desk.maya.click(answer, label="Studio · about 8 credits")
    job = await desk.job()
    assert (job.tool, job.inputs["prompt"], job.source) == ("studio", "a red kite @everyone", None)


async def test_an_offer_ends_by_itself_and_one_that_was_taken_is_gone_already(desk: Desk) -> None:
    message = await mention(desk, desk.maya, "a red kite")
    (offer,) = await desk.db.read(open_posts)
    assert offer.expires_at is not None
    assert offer.expires_at - desk.clock.now() == OFFERED_FOR
    assert await desk.delivery.delete(offer) == Gone()
    assert answer_to(desk, message) is None
    assert await desk.delivery.delete(offer) == Gone()


async def test_an_offer_that_discord_is_too_busy_to_remove_is_removed_later(desk: Desk) -> None:
    message = await mention(desk, desk.maya, "a red kite")
    (offer,) = await desk.db.read(open_posts)
    desk.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=1)
    assert isinstance(await desk.delivery.delete(offer), Later)
    assert answer_to(desk, message) is not None


async def test_a_price_that_has_risen_since_the_offer_is_asked_about(desk: Desk) -> None:
    message = await mention(desk, desk.maya, "a red kite")
    answer = answer_to(desk, message)
    assert answer is not None
    tool = desk.bot.catalog.get("studio")
    key = await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    variant = tool.variant(tool.prepare({"prompt": "x"}, has_source=False))
    await desk.db.write(prices.learn, key.lane, "studio", variant, 12, desk.clock.now())
    asked = await desk.maya.click(answer, label="Studio · about 8 credits")
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert await jobs_of(desk) == []


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


async def test_a_reply_to_the_bot_and_a_mention_of_its_role_are_no_mentions(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    shown = await desk.card(await desk.job())
    before = len(desk.channel.history())
    own_role = desk.guild.create_role("Studii")
    await desk.tom.send(desk.channel, "Nice", reply_to=shown)
    await desk.tom.send(desk.channel, f"<@&{own_role.id}> hello")
    assert len(desk.channel.history()) == before + 2


@pytest.mark.promise
async def test_an_offer_that_can_not_be_stored_at_once_is_made_once_and_stored_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores, failures = posts.let_expire, [DatabaseAway() for _ in range(3)]

    def away(*values: Any) -> None:
        if failures:
            raise failures.pop()
        stores(*values)

    monkeypatch.setattr(posts, "let_expire", away)
    monkeypatch.setattr(tasks, "OUTAGE_PAUSE", 0.01)
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        asked = await mention(desk, desk.maya, "a red kite")

        async def stored() -> bool:
            return bool(await desk.db.read(open_posts))

        await until(stored, "stored")
        answers = [one for one in desk.channel.history() if one.id > asked.id]
        assert len(answers) == 1


async def test_where_nothing_is_accepted_it_says_why(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        told = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
        assert "no Studii key yet" in texts(told)
        await desk.set_key()
        roles = desk.guild.create_role("Staff")
        await desk.services.db.write(limit_tool, desk.guild.id, None, role_id=roles.id, channel_id=None)
        told = answer_to(desk, await mention(desk, desk.maya, "", ROOM))
        assert f"only for <@&{roles.id}>" in texts(told)
