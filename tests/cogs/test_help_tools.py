"""/help shows each tool with an example and its prices, to the person alone."""

import pytest

from bot.catalog import Catalog
from bot.credits import charges
from bot.servers import keys
from bot.ui.help import EXAMPLES, read_examples
from tests.support.desk import Desk, pieces, texts


async def shown_to_maya(desk: Desk) -> str:
    return texts(await desk.maya.slash(desk.channel, "help"))


def about(words: str, slug: str) -> str:
    """What the panel says of one tool."""
    return next(part for part in words.split("**") if f"`/{slug}`" in part)


@pytest.mark.promise
async def test_every_tool_is_shown_with_what_it_does_a_picture_and_its_price(desk: Desk) -> None:
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


@pytest.mark.promise
async def test_what_other_choices_cost_is_shown_before_one_spends(desk: Desk) -> None:
    assert "about 8 credits · mode **video**: about 40 credits" in await shown_to_maya(desk)
    key = await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    for variant, charge in (("mode=video quality=standard", 40), ("mode=video quality=high", 90)):
        await desk.db.write(charges.learn, key.lane, "studio", variant, charge, desk.clock.now())
    words = await shown_to_maya(desk)
    assert "about 8 credits · mode **video**: 40 credits · mode **video** and quality" in words
    assert "quality **high**: 90 credits" in words


def test_each_shipped_tool_has_a_small_picture() -> None:
    slugs = list(Catalog.load().tools)
    pictures = read_examples(slugs)
    assert sorted(pictures) == sorted(slugs)
    assert {path.stem for path in EXAMPLES.iterdir()} == set(slugs)
    assert all(len(data) <= 40_000 for data in pictures.values())
