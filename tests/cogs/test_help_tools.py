"""/help shows each tool with an example and its prices, to the person alone."""

from pathlib import Path

import pytest

from bot.catalog import Catalog
from bot.credits import charges
from bot.credits.limits import AllowanceScope
from bot.jobs.models import JobState
from bot.servers import access, keys
from bot.ui.guide.tool_list import EXAMPLES, read_examples
from tests.support import spending
from tests.support.desk import Desk, open_desk, pieces, texts


async def shown_to_maya(desk: Desk) -> str:
    return texts(await desk.maya.slash(desk.channel, "help"))


def about(words: str, slug: str) -> str:
    """What the panel says of one tool."""
    return next(part for part in words.split("**") if f"`/{slug}`" in part)


@pytest.mark.promise
async def test_every_tool_is_shown_with_what_it_does_a_picture_and_its_price(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        answer = await desk.maya.slash(desk.channel, "help")
        assert answer.ephemeral
        for tool in desk.bot.catalog.tools.values():
            said = about(texts(answer), tool.slug)
            assert tool.summary in said
            assert "about 8 credits" in said
        pictures = [piece["media"]["url"] for piece in pieces(answer) if piece["type"] == 11]
        assert len(pictures) == len(desk.bot.catalog.tools)
        for url in pictures:
            data = desk.env.backend.cdn.get(url)
            assert data is not None
            assert data.startswith(b"\xff\xd8")


async def test_a_price_is_shown_as_learned_once_studii_has_charged(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        key = await desk.db.write(keys.current, desk.guild.id)
        assert key is not None
        tool = desk.bot.catalog.get("photo-restore")
        await desk.db.write(charges.learn, key.lane, tool.slug, tool.variant({}), 6, desk.clock.now())
        said = about(await shown_to_maya(desk), "photo-restore")
        assert "6 credits" in said
        assert "about " not in said


@pytest.mark.promise
async def test_what_other_choices_cost_is_shown_before_one_spends(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        assert "about 8 credits · mode **video**: about 40 credits" in await shown_to_maya(desk)
        key = await desk.db.write(keys.current, desk.guild.id)
        assert key is not None
        for variant, charge in (("mode=video quality=standard", 40), ("mode=video quality=high", 90)):
            await desk.db.write(charges.learn, key.lane, "studio", variant, charge, desk.clock.now())
        words = await shown_to_maya(desk)
        assert "about 8 credits · mode **video**: 40 credits · mode **video** and quality" in words
        assert "quality **high**: 90 credits" in words


async def test_a_reason_that_holds_for_every_tool_is_said_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.services.db.write(access.block, desk.guild.id, desk.maya.id, desk.clock.now())
        assert texts(await desk.maya.slash(desk.channel, "help")).count("🚫") == 1


async def test_what_costs_more_than_is_left_is_said_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await spending.set_limits(
            desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBER, desk.maya.id, 10)
        )
        assert "enough credits left" not in await shown_to_maya(desk)
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        assert (await desk.job()).state is JobState.WAITING
        words = await shown_to_maya(desk)
        assert words.count("🚫") == 1
        assert "🚫 You don't have enough credits left for any tool." in words


def test_each_shipped_tool_has_a_small_picture() -> None:
    slugs = list(Catalog.load().tools)
    pictures = read_examples(slugs)
    assert sorted(pictures) == sorted(slugs)
    assert {path.stem for path in EXAMPLES.iterdir()} == set(slugs)
    assert all(len(data) <= 40_000 for data in pictures.values())
