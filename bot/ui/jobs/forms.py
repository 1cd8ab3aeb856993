"""The form that a tool is started with, and the inputs that are typed in one line."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import discord
from discord import ui
from msgspec import structs

from bot.catalog import SourceRule, Tool, ToolInput
from bot.credits.budgets import Estimate, price_of_all, short_price
from bot.credits.prices import PriceTable
from bot.errors import Refused
from bot.features.styles import Style, wants_words
from bot.jobs.models import SourcePhoto
from bot.languages import and_list, gettext as _, in_all_languages, lazy, pgettext
from bot.ui.kit.forms import TITLE_LENGTH, PhotoUpload, labelled
from bot.ui.kit.layout import plain, shortened
from bot.ui.panels.controls import Press
from bot.ui.reading.pictures import attached, plain_name

MAX_INPUTS_CHARACTERS = 500  # in a form's field
MAX_EXTRA_CHARACTERS = 1000
_DOUBLE, _SINGLE = '"“”„', "'‘’"  # phones type curly ones
_NAME = r"[A-Za-z][A-Za-z0-9_]{0,31}"
_PAIR = re.compile(  # a value ends where the next name begins, or with its quotes
    rf"({_NAME})\s*=\s*(?:[{_DOUBLE}]([^{_DOUBLE}]+)[{_DOUBLE}]|[{_SINGLE}]([^{_SINGLE}]+)[{_SINGLE}]"
    rf"|([^\s{_DOUBLE}{_SINGLE}].*?))(?:[,;\s]*$|[,;\s]+(?={_NAME}\s*=))",
    re.DOTALL,
)


def extra_inputs(typed: str | None, tool: Tool) -> dict[str, str]:
    """Parse what was typed as `extra` for a tool. Raises `Refused`. The rules of access decide who may."""
    inputs = _pairs(typed)
    known = next((one.name for one in tool.inputs if one.name in inputs), None)
    if known is not None:
        raise Refused(
            lazy("`{input}` is an option of the command. Use that instead of `extra`.", input=known)
        )
    if tool.source_flag is not None and tool.source_flag.name in inputs:
        raise Refused(
            lazy(
                "`{input}` depends on whether you attach a photo. Leave it out of `extra`.",
                input=tool.source_flag.name,
            )
        )
    return inputs


def inputs_from(typed: str | None) -> dict[str, str]:
    """Parse the catalogue's inputs, as in `style=rustic, room="living room" seed=42`. Raises `Refused`."""
    return {name.lower(): value for name, value in _pairs(typed).items()}


def _pairs(typed: str | None) -> dict[str, str]:
    text, place, inputs = (typed or "").strip(), 0, dict[str, str]()
    while place < len(text):
        if (found := _PAIR.match(text, place)) is None:
            raise Refused(
                lazy(
                    "“{piece}” isn't a name=value pair. Write them like this: style=farmhouse, room=bedroom",
                    piece=plain(text[place:], 40),
                )
            )
        name, *values = found.groups()
        inputs[name] = next(value for value in values if value)
        place = found.end()
    return inputs


# The form

# Names that no input has, so that all fields differ.
PHOTO, PRIVATE_FIELD = "image", "private"
MAX_SET_PHOTOS, MAX_VARIANTS = 10, 4
STYLE = "style"  # the option of a tool's command; a tool may have an input of that name
SET = "first "  # the beginning of the value of a choice of several pictures, before their number
EACH = "each-photo"  # the value of an input that each photo of a set has its own of
# https://discord.com/developers/docs/components/reference
FIELDS = 5
MAX_FORM_OPTIONS = 25
CHOICE_LENGTH = 100
_LETTER = re.compile(r"\w")

PriceOf = Callable[[str], str]
Field = ui.TextInput[Any] | ui.RadioGroup[Any] | ui.Select[Any]
Values = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class FormStart:
    """The values that are known before the person fills in the form.

    `pictures`: one of them is taken; without any a photo can be attached, and with `replaceable` instead of
    the only one. `values` are prefilled; those that have no field are passed on as they are. `private` is
    what *Just for me* starts with; without `may_be_private` it isn't asked. `prices` are shown in the title
    and at the choices. `set_prices` are the prices of those pictures, from the first on, that could be taken
    together. `chosen` is the value of the choice among pictures that the person has made before. `attached`:
    the pictures came with the form, and are the person's own. `style`: the form is for a style, whose prompt
    the person's words go into. `times`: how many jobs it starts, whose prices are named together.
    """

    pictures: Sequence[SourcePhoto] = ()
    values: Values = field(default_factory=dict[str, str | None])
    replaceable: bool = False
    private: bool = False
    may_be_private: bool = True
    prices: PriceTable | None = None
    set_prices: Sequence[Estimate] = ()
    chosen: str | None = None
    attached: bool = False
    style: Style | None = None
    times: int = 1

    def price(self, tool: Tool) -> str:
        """Say what the tool costs: as it is, or at least if choices change it. Empty if it isn't known."""
        if self.prices is None:
            return ""
        if not any(one.price and one.suggestions for one in tool.inputs):
            return self._of_all(self.prices.of(tool, self.values))
        # Translators: the least that a tool costs, such as “from 8 credits”.
        return _("from {price}", price=self._of_all(self.prices.least(tool)))

    def price_with(self, tool: Tool, one: ToolInput, value: str) -> str:
        """Say what the tool costs with that value of an input. Empty if that doesn't change the price."""
        if self.prices is None or not one.price:
            return ""
        return self._of_all(self.prices.of(tool, {**self.values, one.name: value}))

    def _of_all(self, each: Estimate) -> str:
        return str(short_price(price_of_all([each] * self.times)))


def arranged(
    tool: Tool, room: int, *, private: bool
) -> tuple[list[ToolInput], bool, list[ToolInput], list[ToolInput]]:
    """Decide which inputs have one of `room` fields: texts and what is required, what changes the price, the
    rest. `private` asks for *Just for me*, which only required inputs displace.

    Return the inputs before it, whether it has room, the inputs after it, and those that have none.
    """
    needed = [one for one in tool.inputs if one.long or one.needed][:room]
    private = private and len(needed) < room
    room -= len(needed) + private
    priced = [one for one in tool.inputs if one.price and one not in needed]
    rest = [one for one in tool.inputs if not one.price and one not in needed]
    first, last = priced[:room], rest[: max(0, room - len(priced))]
    return [*needed, *first], private, last, [*priced[len(first) :], *rest[len(last) :]]


def field_for(
    one: ToolInput, prefilled: str | None, price_of: PriceOf = lambda _: "", *, each: bool = False
) -> Field:
    """Return the field that asks for the input: radio buttons for a few values, a menu for more.

    `price_of` says what a job costs with a value of an input that changes the price. `each`: the photos may
    have different ones, which are asked for next.
    """
    value = prefilled or one.default
    if one.long or not one.suggestions:
        return ui.TextInput(
            custom_id=one.name,
            style=discord.TextStyle.paragraph if one.long else discord.TextStyle.short,
            default=value,
            required=one.needed,
            max_length=one.max_length,
        )
    most = MAX_FORM_OPTIONS - each
    offered = list(one.suggestions[:most])
    if value and value not in (*offered, EACH):
        # Other values are accepted too: the previous one stays on offer.
        offered = [value, *offered[: most - 1]]
    labels = {shown: choice(one, shown, price_of(shown)) for shown in offered}
    if each:
        labels[EACH] = _("Choose for each photo…")
    return choice_field(one.name, labels, value, required=one.needed)


def choice_field(name: str, labels: Mapping[str, str], chosen: str | None, *, required: bool) -> Field:
    """Return radio buttons for a few values, a menu for more. `labels` are by value."""
    if 2 <= len(labels) <= 10:  # as many radio buttons as Discord takes
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


def choice(one: ToolInput, value: str, price: str) -> str:
    """Return the label of a value of the input, with what it costs."""
    shown = one.shown(value)
    if not price:
        return shortened(shown, CHOICE_LENGTH) or "…"
    return f"{shortened(shown, CHOICE_LENGTH - len(price) - 3) or '…'} · {price}"


def capitalised(title: str) -> str:
    """Return the title with a capital as its first letter."""
    return _LETTER.sub(lambda first: first[0].upper(), title, count=1)


def tool_form(tool: Tool, start: FormStart) -> list[ui.Label[Any]]:
    """Return the form's fields: of what the tool takes, as much as fits."""
    photo = _photo_field(tool, start)
    first, private, last, left_out = arranged(tool, FIELDS - len(photo), private=start.may_be_private)
    several = tool.source is SourceRule.REQUIRED and len(start.pictures) != 1 and not start.replaceable

    def asked(one: ToolInput) -> ui.Label[Any]:
        price_of = partial(start.price_with, tool, one)
        field = field_for(one, start.values.get(one.name), price_of, each=several and not one.price)
        return labelled(capitalised(one.title), field, one.description)

    missing = capitalised(and_list([one.title for one in left_out]))
    about = _("{inputs}: use /{command}", inputs=missing, command=tool.slug) if missing else ""
    box = ui.Checkbox[Any](custom_id=PRIVATE_FIELD, default=start.private)
    alone = [labelled(_("Just for me"), box, about)] if private else []
    return [*photo, *map(asked, first), *alone, *map(asked, last)]


def filled_in(tool: Tool, start: FormStart, press: Press) -> tuple[FormStart, Sequence[SourcePhoto]]:
    """Return the form as it was handed in, with what has no field, and the photos to be taken."""
    given, pictures = press.values, _pictures(tool, start)
    values = {one.name: _entered(given[one.name]) for one in tool.inputs if one.name in given}
    private = bool(given.get(PRIVATE_FIELD, start.private))
    filled = replace(start, values={**start.values, **values}, private=private)
    if len(pictures) > 1:
        chosen = given[PHOTO][0]
        several = chosen.startswith(SET)
        photos = pictures[: int(chosen.removeprefix(SET))] if several else [pictures[int(chosen)]]
        return replace(filled, chosen=chosen), photos
    uploaded = [attached(one) for one in press.uploaded(PHOTO)]
    if not uploaded:
        return filled, pictures
    one, every = len(uploaded) == 1, all_of(uploaded)
    return replace(filled, pictures=uploaded, replaceable=one, chosen=every, attached=True), uploaded


def _entered(given: str | list[str] | None) -> str | None:
    """Return what the person chose or typed, without the spaces around it."""
    return (given if isinstance(given, str) else "".join(given or ())).strip() or None


def _pictures(tool: Tool, start: FormStart) -> Sequence[SourcePhoto]:
    return () if tool.source is SourceRule.NONE else start.pictures[:MAX_FORM_OPTIONS]


def _photo_field(tool: Tool, start: FormStart) -> list[ui.Label[Any]]:
    pictures = _pictures(tool, start)
    if len(pictures) > 1:
        return [labelled(pgettext("title", "Picture"), _picture_select(pictures, start))]
    if tool.source is SourceRule.NONE or (pictures and not start.replaceable):
        return []
    required = tool.source is SourceRule.REQUIRED and not pictures
    most = 1 if start.replaceable else MAX_SET_PHOTOS
    upload = PhotoUpload(custom_id=PHOTO, required=required, min_values=int(required), max_values=most)
    if pictures:
        return [labelled(_("Another photo"), upload, lazy("Leave empty to keep the photo."))]
    if most > 1 and (price := start.price(tool)):  # there is no room for the kinds of files
        about = {
            # Translators: at most 70 characters
            SourceRule.REQUIRED: lazy("Several photos become a set, each {price}.", price=price),
            # Translators: at most 70 characters
            SourceRule.OPTIONAL: lazy("Optional. Several photos become a set, each {price}.", price=price),
        }
    else:
        about = {
            SourceRule.REQUIRED: lazy("JPEG, PNG, WebP, HEIC and others"),
            SourceRule.OPTIONAL: lazy("Optional. JPEG, PNG, WebP, HEIC and others"),
        }
    return [labelled(pgettext("title", "Photo"), upload, about[tool.source])]


def styled(tool: Tool, style: Style) -> Tool:
    """Return the tool as the form of a style shows it: with the style's name, and words for its prompt."""
    prompt, title = tool.prompt, in_all_languages(style.name)
    template = None if prompt is None else style.inputs.get(prompt.name)
    if template is None:
        return structs.replace(tool, title_texts=title)
    needed = wants_words(template)
    said = str(
        (
            lazy("Your words go into: {prompt}")
            if needed
            else lazy("Optional. Your words are added to: {prompt}")
        ).using(prompt=template)
    )
    about = in_all_languages(said)
    inputs = (
        structs.replace(one, description_texts=about, required=needed, default=None, value_texts={})
        if one is prompt
        else one
        for one in tool.inputs
    )
    return structs.replace(tool, title_texts=title, inputs=tuple(inputs))


def form_title(tool: Tool, start: FormStart) -> str:
    """Return the title of the tool's form, with the price if it is known."""
    title = tool.title if start.times == 1 else f"{start.times} × {tool.title}"
    if not (price := start.price(tool)):
        return title
    if len(start.set_prices) > 1:  # and the choice among photos names that of all
        # Translators: a photo's price, as “12 credits each”
        price = _("{price} each", price=price)
    return f"{shortened(title, TITLE_LENGTH - len(price) - 3)} · {price}"


def _picture_select(pictures: Sequence[SourcePhoto], start: FormStart) -> ui.Select[Any]:
    """Return the choice among pictures: each, and all of them, or as many as can be taken now."""
    count, prices = len(pictures), start.set_prices
    options = [
        discord.SelectOption(
            label=f"{number + 1}. {shortened(plain_name(photo), 80)}",
            description=_("Behind a spoiler") if photo.hidden else None,
            value=str(number),
        )
        for number, photo in enumerate(pictures)
    ]
    if len(prices) > 1:
        # Translators: photos.
        which = pgettext("choice", "All {count}", count=count)
        if len(prices) < count:
            # Translators: photos.
            which = pgettext("choice", "The first {first} of {count}", first=len(prices), count=count)
        label = f"{which} · {short_price(price_of_all(prices))}"
        options.insert(0, discord.SelectOption(label=label, value=all_of(prices)))
    # All of them, if all can be taken.
    usual = "0" if len(prices) < count else all_of(pictures)
    named = next((one for one in options if one.value == start.chosen), None)
    (named or next(one for one in options if one.value == usual)).default = True
    return ui.Select(custom_id=PHOTO, options=options[:MAX_FORM_OPTIONS])


def all_of(pictures: Sequence[object]) -> str:
    """Return the value of the choice of all these pictures."""
    return f"{SET}{len(pictures)}"
