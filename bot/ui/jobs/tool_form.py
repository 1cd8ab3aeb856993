"""What is asked before a tool can start: the form with its inputs, and the list of tools."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import ui

from bot.catalog import SourceRule, Tool, ToolInput
from bot.domain import SourcePhoto
from bot.ui.kit.forms import Form, OpenView
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import NEUTRAL, box, row, text
from bot.ui.kit.text import shortened
from bot.ui.reading.pictures import plain_name

# https://discord.com/developers/docs/components/reference
FIELDS = 5
CHOICES = 25
TITLE_LENGTH = 45
FIELD_LABEL_LENGTH = 45
DESCRIPTION_LENGTH = 100
CHOICE_LENGTH = 100
PICTURE = "picture"
HIDDEN = "Behind a spoiler"
WITHOUT_PICTURE = "Doesn't use this picture:"

Values = Mapping[str, str | None]
Submit = Callable[[discord.Interaction[Any], Values, SourcePhoto | None], Awaitable[None]]


def needs_form(tool: Tool, pictures: Sequence[SourcePhoto]) -> bool:
    """Return whether there is anything to ask before the tool can start from one of these pictures."""
    return bool(tool.inputs) or (tool.source is not SourceRule.NONE and len(pictures) > 1)


class ToolForm(Form):
    """Asks for what fits into a form: the picture if there are several, then the first inputs.

    `prefilled` holds values for inputs; those that are in no field are passed on as they are. `submit` is
    called with all values, and with the picture that was chosen.
    """

    def __init__(
        self, tool: Tool, pictures: Sequence[SourcePhoto], submit: Submit, prefilled: Values | None = None
    ) -> None:
        super().__init__(shortened(tool.title, TITLE_LENGTH))
        self._pictures = () if tool.source is SourceRule.NONE else tuple(pictures[:CHOICES])
        self._submit = submit
        self._values = dict(prefilled or {})
        self._picture = _picture_select(self._pictures) if len(self._pictures) > 1 else None
        if self._picture is not None:
            self.add_item(ui.Label(text="Picture", component=self._picture))
        room = FIELDS - len(self.children)
        self._fields = {one.name: _field(one, self._values.get(one.name)) for one in tool.inputs[:room]}
        for one in tool.inputs[:room]:
            label = shortened(one.name.replace("_", " ").replace("-", " ").capitalize(), FIELD_LABEL_LENGTH)
            about = shortened(one.description, DESCRIPTION_LENGTH)
            self.add_item(ui.Label(text=label, description=about, component=self._fields[one.name]))

    async def submitted(self, interaction: discord.Interaction[Any], host: Host) -> None:
        await self._submit(interaction, self._typed(), self._chosen())

    def _typed(self) -> Values:
        return self._values | {name: _value(field) for name, field in self._fields.items()}

    def _chosen(self) -> SourcePhoto | None:
        if self._picture is not None and self._picture.values:
            return self._pictures[int(self._picture.values[0])]
        return self._pictures[0] if self._pictures else None


class ToolPicker(OpenView):
    """A list of tools to choose from."""

    def __init__(
        self,
        tools: Iterable[Tool],
        words: str,
        chosen: Callable[[discord.Interaction[Any], Tool], Awaitable[None]],
    ) -> None:
        super().__init__()
        self._tools = {tool.slug: tool for tool in list(tools)[:CHOICES]}
        self._chosen = chosen
        self._select: ui.Select[Any] = ui.Select(placeholder="Choose a tool", options=self._options())
        self._select.callback = self._picked
        self.add_item(box(NEUTRAL, text(words), row(self._select)))

    async def show(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the interaction with this list, for the person alone."""
        host_of(interaction).open_forms.add(self._select.custom_id, self)
        await interaction.response.send_message(view=self, ephemeral=True)

    def _options(self) -> list[discord.SelectOption]:
        return [
            discord.SelectOption(
                label=shortened(tool.title, CHOICE_LENGTH),
                value=tool.slug,
                description=shortened(_summary(tool), CHOICE_LENGTH),
                emoji=tool.emoji,
            )
            for tool in self._tools.values()
        ]

    async def _picked(self, interaction: discord.Interaction[Any]) -> None:
        await self._chosen(interaction, self._tools[self._select.values[0]])


def _summary(tool: Tool) -> str:
    return f"{WITHOUT_PICTURE} {tool.summary}" if tool.source is SourceRule.NONE else tool.summary


def _picture_select(pictures: Sequence[SourcePhoto]) -> ui.Select[Any]:
    options = [
        discord.SelectOption(
            label=f"{number + 1}. {shortened(plain_name(photo), 80)}",
            description=HIDDEN if photo.hidden else None,
            value=str(number),
            default=number == 0,
        )
        for number, photo in enumerate(pictures)
    ]
    return ui.Select(custom_id=PICTURE, options=options)


def _field(one: ToolInput, prefilled: str | None) -> ui.Select[Any] | ui.TextInput[Any]:
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
    offered = list(one.suggestions[:CHOICES])
    if value and value not in offered:
        # Other values are accepted too: the previous one stays on offer.
        offered = [value, *offered[: CHOICES - 1]]
    options = [
        discord.SelectOption(label=shortened(each, CHOICE_LENGTH) or "…", value=each, default=each == value)
        for each in offered
    ]
    return ui.Select(custom_id=one.name, options=options, required=required, min_values=int(required))


def _value(field: ui.Select[Any] | ui.TextInput[Any]) -> str | None:
    if isinstance(field, ui.TextInput):
        return field.value.strip() or None
    return field.values[0] if field.values else None
