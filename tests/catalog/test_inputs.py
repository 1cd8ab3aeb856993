"""What is sent of what was said, and what a price depends on."""

from pathlib import Path

import pytest

from bot.catalog import Catalog, Tool
from bot.errors import Refused
from bot.tool_inputs import MAX_LONG_TEXT
from tests.catalog.files import GOOD, written


def test_what_was_not_said_gets_its_default(studio: Tool) -> None:
    assert studio.prepare({"prompt": "A modern living room"}, has_source=False) == {
        "source": "text",
        "prompt": "A modern living room",
        "mode": "image",
        "quality": "standard",
        "aspect_ratio": "16:9",
    }


def test_an_attached_photo_makes_studio_start_from_an_image(studio: Tool) -> None:
    assert studio.prepare({"prompt": "sunset"}, has_source=True)["source"] == "image"


def test_a_blank_is_the_same_as_nothing_said(studio: Tool) -> None:
    prepared = studio.prepare({"prompt": "  a house \n", "mode": "   ", "quality": None}, has_source=False)
    assert prepared["prompt"] == "a house"
    assert (prepared["mode"], prepared["quality"]) == ("image", "standard")


def test_values_that_nobody_suggested_are_passed_on(studio: Tool) -> None:
    assert studio.prepare({"prompt": "a", "quality": "ultra"}, has_source=False)["quality"] == "ultra"


def test_an_input_without_a_value_or_a_default_is_left_out(tmp_path: Path) -> None:
    text = GOOD + '[[studio.inputs]]\nname = "seed"\ndescription = "A number"\n'
    tool = Catalog.load(written(tmp_path, text)).get("studio")
    assert tool.prepare({}, has_source=False) == {}


@pytest.mark.parametrize("prompt", [None, "", " \n "])
def test_a_missing_prompt_is_asked_for_by_name(studio: Tool, prompt: str | None) -> None:
    with pytest.raises(Refused, match=r"^Studio needs `prompt`: “Describe the picture or video”\.$"):
        studio.prepare({"prompt": prompt}, has_source=False)


def test_text_may_be_as_long_as_its_bound_and_no_longer(studio: Tool) -> None:
    longest = "x" * MAX_LONG_TEXT
    assert studio.prepare({"prompt": longest}, has_source=False)["prompt"] == longest
    with pytest.raises(Refused, match=r"`prompt` can have at most 2,000 characters\. Yours has 2,001"):
        studio.prepare({"prompt": longest + "x"}, has_source=False)


def test_a_tool_that_starts_from_a_photo_asks_for_one(shipped: Catalog) -> None:
    with pytest.raises(Refused, match="Photo restoration needs a photo"):
        shipped.get("photo-restore").prepare({}, has_source=False)


def test_a_tool_without_a_photo_says_so_when_given_one(tmp_path: Path) -> None:
    tool = Catalog.load(written(tmp_path, GOOD.replace("optional", "none"))).get("studio")
    with pytest.raises(Refused, match="doesn't take a photo"):
        tool.prepare({}, has_source=True)


def test_the_variant_names_what_changes_the_price_and_nothing_else(studio: Tool) -> None:
    inputs = studio.prepare({"prompt": "a", "mode": "video", "aspect_ratio": "1:1"}, has_source=True)
    assert studio.variant(inputs) == "mode=video quality=standard"


def test_the_variant_does_not_depend_on_the_order_of_the_inputs(studio: Tool) -> None:
    assert studio.variant({"quality": "high", "mode": "image"}) == "mode=image quality=high"
    assert studio.variant({"mode": "image", "quality": "high"}) == "mode=image quality=high"


def test_an_unlisted_value_that_changes_the_price_is_outside_of_the_catalogue(studio: Tool) -> None:
    assert studio.in_catalogue({"mode": "image", "quality": "high", "aspect_ratio": "7:3"})
    assert not studio.in_catalogue({"mode": "image", "quality": "ultra"})


def test_what_is_made_follows_the_mode(shipped: Catalog, studio: Tool) -> None:
    assert studio.output_kind({"mode": "video"}) == "video"
    assert studio.output_kind({"mode": "image"}) == "image"
    assert studio.output_kind({}) == "image"
    assert shipped.get("photo-restore").output_kind({}) == "image"
