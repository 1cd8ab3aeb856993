"""The tools that ship, and how one is found."""

import pytest

from bot.catalog import Catalog, SourceRule
from bot.errors import Refused
from bot.languages import Language, speaking


@pytest.mark.promise
def test_the_five_tools_of_the_api_ship_in_the_order_of_their_file(shipped: Catalog) -> None:
    assert [(slug, tool.source) for slug, tool in shipped.tools.items()] == [
        ("studio", SourceRule.OPTIONAL),
        ("virtual-staging", SourceRule.REQUIRED),
        ("photo-restore", SourceRule.REQUIRED),
        ("product-background", SourceRule.REQUIRED),
        ("career-photo", SourceRule.REQUIRED),
    ]
    assert [slug for slug, tool in shipped.tools.items() if tool.portrait] == ["career-photo"]
    for tool in shipped.tools.values():  # every default that changes a price is one of the suggestions
        assert tool.in_catalogue(tool.prepare({"prompt": "a"}, has_source=tool.source != SourceRule.NONE))


@pytest.mark.promise
@pytest.mark.parametrize("typed", ["virtual-staging", "Virtual staging", " virtual STAGING "])
def test_a_tool_that_was_typed_instead_of_chosen_is_found(shipped: Catalog, typed: str) -> None:
    assert shipped.named(typed).slug == "virtual-staging"
    with pytest.raises(Refused, match="There's no tool “hologram”"):
        shipped.named("hologram")
    with pytest.raises(Refused, match="The tool “hologram” isn't available here any more"):
        shipped.get("hologram")


def test_the_shipped_tools_speak_every_language(shipped: Catalog) -> None:
    portrait = shipped.get("career-photo")
    with speaking(Language.GERMAN):
        assert (portrait.title, shipped.named("career portrait")) == ("Bewerbungsfoto", portrait)
    assert (portrait.title, shipped.named("bewerbungsfoto")) == ("Career portrait", portrait)
