"""The fields of a tool's form: which inputs have room in it, and what people see for each."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.catalog import Tool, ToolInput
from bot.ui.kit.text import shortened

# https://discord.com/developers/docs/components/reference
FIELDS = 5
MAX_FORM_OPTIONS = 25
RADIO_BUTTONS = (2, 10)
CHOICE_LENGTH = 100
_LETTER = re.compile(r"\w")

PriceOf = Callable[[str], str]
Field = ui.TextInput[Any] | ui.RadioGroup[Any] | ui.Select[Any]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The inputs that have room in a form, before and after *Only I see it*; and those that have none."""

    first: Sequence[ToolInput]
    last: Sequence[ToolInput]
    left_out: Sequence[ToolInput]
    private: bool  # there is room for *Only I see it*


def arrangement_of(tool: Tool, room: int, *, private: bool) -> Arrangement:
    """Decide which inputs have one of `room` fields: texts and what is required, what changes the price, the
    rest. `private` asks for *Only I see it*, which only required inputs displace.
    """
    needed = [one for one in tool.inputs if one.long or (one.required and one.default is None)][:room]
    private = private and len(needed) < room
    room -= len(needed) + private
    priced = [one for one in tool.inputs if one.price and one not in needed]
    rest = [one for one in tool.inputs if not one.price and one not in needed]
    first, last = priced[:room], rest[: max(0, room - len(priced))]
    left_out = [*priced[len(first) :], *rest[len(last) :]]
    return Arrangement([*needed, *first], last, left_out, private)


def field_for(one: ToolInput, prefilled: str | None, price_of: PriceOf = lambda _: "") -> Field:
    """Return the field that asks for the input: radio buttons for a few values, a menu for more.

    `price_of` says what a job costs with a value of an input that changes the price.
    """
    value = prefilled or one.default
    required = one.required and one.default is None
    if one.long or not one.suggestions:
        return ui.TextInput(
            custom_id=one.name,
            style=discord.TextStyle.paragraph if one.long else discord.TextStyle.short,
            default=value,
            required=required,
            max_length=one.max_length,
        )
    offered = list(one.suggestions[:MAX_FORM_OPTIONS])
    if value and value not in offered:
        # Other values are accepted too: the previous one stays on offer.
        offered = [value, *offered[: MAX_FORM_OPTIONS - 1]]
    labels = {each: choice(one, each, price_of(each)) for each in offered}
    return choice_field(one.name, labels, value, required=required)


def choice_field(name: str, labels: Mapping[str, str], chosen: str | None, *, required: bool) -> Field:
    """Return radio buttons for a few values, a menu for more. `labels` are by value."""
    least, most = RADIO_BUTTONS
    if least <= len(labels) <= most:
        buttons = [
            discord.RadioGroupOption(label=label, value=value, default=value == chosen)
            for value, label in labels.items()
        ]
        return ui.RadioGroup(custom_id=name, options=buttons, required=required)
    choices = [
        discord.SelectOption(label=label, value=value, default=value == chosen)
        for value, label in labels.items()
    ]
    return ui.Select(custom_id=name, options=choices, required=required, min_values=int(required))


def value_of(field: Field) -> str | None:
    """Return what the person chose or typed, without the spaces around it."""
    if isinstance(field, ui.TextInput):
        return field.value.strip() or None
    if isinstance(field, ui.RadioGroup):
        return field.value
    return field.values[0] if field.values else None


def choice(one: ToolInput, value: str, price: str) -> str:
    """Return the label of a value of the input, with what it costs."""
    shown = one.shown(value)
    if not price:
        return shortened(shown, CHOICE_LENGTH) or "…"
    return f"{shortened(shown, CHOICE_LENGTH - len(price) - 3) or '…'} · {price}"


def capitalised(title: str) -> str:
    """Return the title with a capital as its first letter."""
    return _LETTER.sub(lambda first: first[0].upper(), title, count=1)
