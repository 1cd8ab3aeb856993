"""`extra` and the inputs of presets: what is typed becomes inputs, or a sentence that says what is wrong."""

import pytest

from bot.catalog import Catalog
from bot.errors import Refused
from bot.ui.jobs.forms import inputs_from


@pytest.mark.parametrize(
    ("typed", "inputs"),
    [
        ("seed=42", {"seed": "42"}),
        ("  Seed = 42   mood=warm, ", {"seed": "42", "mood": "warm"}),
        ("style=rustic, room=living room;seed=1", {"style": "rustic", "room": "living room", "seed": "1"}),
        ("mood=“it’s warm” seed=1", {"mood": "it’s warm", "seed": "1"}),
        ("url=https://a.example/?b=c", {"url": "https://a.example/?b=c"}),
        ("note='it=x y=z'", {"note": "it=x y=z"}),
        ("note=it’s, a, list", {"note": "it’s, a, list"}),
        ("a=" + ", " * 400 + "b", {"a": ", " * 400 + "b"}),
    ],
)
def test_pairs_are_read_as_they_were_meant(typed: str, inputs: dict[str, str]) -> None:
    assert inputs_from(typed) == inputs


@pytest.mark.parametrize(
    ("typed", "what"),
    [("seed", "seed"), ("4x=1", "4x=1"), ("a=", "a="), ('a=1, b=""', 'b=""'), ('mood="warm light', "mood=")],
)
def test_what_cannot_be_read_is_refused_with_the_place(typed: str, what: str) -> None:
    with pytest.raises(Refused, match=f"“{what}.*isn't a name=value pair"):
        inputs_from(typed)


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
