"""`extra`: what is typed there becomes inputs, or a sentence that says what is wrong."""

import pytest

from bot.catalog import Catalog
from bot.errors import Refused
from bot.ui.jobs.forms import parsed


@pytest.mark.parametrize(
    ("typed", "pairs"),
    [
        ("seed=42", {"seed": "42"}),
        ("  seed=42   mood=warm ", {"seed": "42", "mood": "warm"}),
        ('mood="warm light" seed=1', {"mood": "warm light", "seed": "1"}),
        ("mood=“warm light”", {"mood": "warm light"}),
        (r'mood="a \"bright\" one"', {"mood": 'a "bright" one'}),
        ("url=https://a.example/?b=c", {"url": "https://a.example/?b=c"}),
        ("note='it=x y'", {"note": "it=x y"}),
        ("note=it’s", {"note": "it’s"}),
    ],
)
def test_pairs_are_read_as_they_were_meant(typed: str, pairs: dict[str, str]) -> None:
    assert parsed(typed) == pairs


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("seed", "“seed” isn't a `key=value` pair"),
        ("seed = 42", "“seed” isn't a `key=value` pair"),
        ("4x=1", "“4x=1” isn't a `key=value` pair"),
        ("seed=", "“seed=” isn't a `key=value` pair"),
        ('seed=""', "isn't a `key=value` pair"),
        ('mood="warm light', "A value with spaces needs quotes around it"),
        ('mood="warm"light=1', "and a space after them"),
        ("a=1 a=2", "`a` twice"),
        ("a=1,b=2", "separate pairs with spaces, not commas"),
        ("a=1; b=2", "separate pairs with spaces, not commas"),
        (" ".join(f"k{n}=1" for n in range(11)), "at most 10 pairs"),
        ("a=" + "x" * 201, "at most 200 characters"),
        ("a=" + "x" * 1000, "at most 1,000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place_and_the_reason(typed: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        parsed(typed)


def test_an_input_that_nobody_knows_is_taken_to_change_the_price() -> None:
    tool = Catalog.load().get("virtual-staging")
    inputs = tool.prepare({}, has_source=True)
    assert tool.in_catalogue(inputs)
    assert not tool.in_catalogue({**inputs, "upscale": "4"})
    assert tool.variant({**inputs, "upscale": "4"}) == "upscale=4"
    assert tool.variant(inputs) == ""


def test_the_flag_that_follows_from_the_photo_is_known() -> None:
    tool = Catalog.load().get("studio")
    assert tool.in_catalogue(tool.prepare({"prompt": "A kite"}, has_source=False))
