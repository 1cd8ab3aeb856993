"""What is sent of what was said, and what a price depends on."""

from pathlib import Path

import pytest

from bot.catalog import MAX_LONG_TEXT, Catalog, Tool
from bot.errors import Refused
from tests.catalog.files import GOOD, written

SAID = {"source": "text", "prompt": "a house", "mode": "image", "quality": "standard", "aspect_ratio": "16:9"}
LONG = "x" * MAX_LONG_TEXT
SEED = GOOD + '[[studio.inputs]]\nname = "seed"\ndescription = "A number"\n'


@pytest.mark.parametrize(
    ("values", "has_source", "sent"),
    [
        ({"prompt": "a house"}, False, SAID),
        ({"prompt": "a house"}, True, SAID | {"source": "image"}),
        ({"prompt": "  a house \n", "mode": "   ", "quality": None}, False, SAID),
        ({"prompt": "a house", "quality": "ultra"}, False, SAID | {"quality": "ultra"}),
        ({"prompt": LONG}, False, SAID | {"prompt": LONG}),
    ],
)
def test_what_is_sent(
    studio: Tool, values: dict[str, str | None], has_source: bool, sent: dict[str, str]
) -> None:
    assert studio.prepare(values, has_source=has_source) == sent


@pytest.mark.parametrize(
    ("slug", "prompt", "has_source", "complaint"),
    [
        *(
            ("studio", prompt, False, r"^Studio needs `prompt`: “Describe the picture or video”\.$")
            for prompt in ("", " \n ")
        ),
        ("studio", LONG + "x", False, r"`prompt` can have at most 2,000 characters\. Yours has 2,001"),
        ("photo-restore", "", False, "Photo restoration needs a photo"),
        ("own", "", True, "doesn't take a photo"),
    ],
)
def test_what_is_lacking_or_too_much_is_said(
    shipped: Catalog, tmp_path: Path, slug: str, prompt: str, has_source: bool, complaint: str
) -> None:
    own = Catalog.load(written(tmp_path, SEED.replace("optional", "none"))).get("studio")
    assert own.prepare({}, has_source=False) == {}  # an input without a value or a default is left out
    with pytest.raises(Refused, match=complaint):
        (own if slug == "own" else shipped.get(slug)).prepare({"prompt": prompt}, has_source=has_source)


def test_the_variant_names_what_changes_the_price_in_a_fixed_order(studio: Tool) -> None:
    inputs = studio.prepare({"prompt": "a", "mode": "video", "aspect_ratio": "1:1"}, has_source=True)
    assert studio.variant(inputs) == "mode=video quality=standard"
    assert studio.variant({"quality": "high", "mode": "image"}) == "mode=image quality=high"
    assert studio.in_catalogue({"mode": "image", "quality": "high", "aspect_ratio": "7:3"})
    assert not studio.in_catalogue({"mode": "image", "quality": "ultra"})


def test_what_is_made_follows_the_mode(shipped: Catalog, studio: Tool) -> None:
    assert [studio.output_kind(said) for said in ({"mode": "video"}, {"mode": "image"}, {})] == [
        "video",
        "image",
        "image",
    ]
    assert shipped.get("photo-restore").output_kind({}) == "image"
