"""The tools that ship, and how one is found."""

import pytest

from bot.catalog import Catalog, SourceRule
from bot.errors import Refused
from bot.languages import Language, speaking


@pytest.mark.promise
def test_the_five_tools_of_the_api_ship_in_the_order_of_their_file(shipped: Catalog) -> None:
    assert list(shipped.tools) == [
        "studio",
        "virtual-staging",
        "photo-restore",
        "product-background",
        "career-photo",
    ]


def test_only_studio_works_without_a_photo(shipped: Catalog) -> None:
    assert {slug: tool.source for slug, tool in shipped.tools.items()} == {
        "studio": SourceRule.OPTIONAL,
        "virtual-staging": SourceRule.REQUIRED,
        "photo-restore": SourceRule.REQUIRED,
        "product-background": SourceRule.REQUIRED,
        "career-photo": SourceRule.REQUIRED,
    }


def test_only_the_career_portrait_changes_a_person(shipped: Catalog) -> None:
    assert [slug for slug, tool in shipped.tools.items() if tool.portrait] == ["career-photo"]


def test_every_default_that_changes_a_price_is_one_of_the_suggestions(shipped: Catalog) -> None:
    for tool in shipped.tools.values():
        assert tool.in_catalogue(
            tool.prepare({"prompt": "a house"}, has_source=tool.source != SourceRule.NONE)
        )


def test_a_tool_that_is_gone_is_refused_by_name(shipped: Catalog) -> None:
    with pytest.raises(Refused, match="The tool “hologram” isn't available here any more"):
        shipped.get("hologram")


@pytest.mark.promise
@pytest.mark.parametrize("typed", ["virtual-staging", "Virtual staging", " virtual STAGING "])
def test_a_tool_that_was_typed_instead_of_chosen_is_found(typed: str) -> None:
    assert Catalog.load().named(typed).slug == "virtual-staging"


def test_a_tool_that_there_is_not_is_to_be_chosen_from_the_list() -> None:
    with pytest.raises(Refused, match="There's no tool “hologram”"):
        Catalog.load().named("hologram")


def test_the_shipped_tools_speak_every_language(shipped: Catalog) -> None:
    portrait = shipped.get("career-photo")
    with speaking(Language.GERMAN):
        assert (portrait.title, shipped.named("career portrait")) == ("Bewerbungsfoto", portrait)
    assert portrait.title == "Career portrait"
    assert shipped.named("bewerbungsfoto") is portrait
