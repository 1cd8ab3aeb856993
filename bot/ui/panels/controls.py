"""Buttons, lists and forms whose custom ids say what they do, so that they work after any restart.

    @button("tryagain:{guild}", label=plazy("button", "Try again"), who=admin)
    async def try_again(press: Press, guild: int) -> None: ...

    row(try_again.of(guild_id))

`try_again` is the look and the handler. A part in brackets, such as `[:{key}]`, is left out if its argument
is None. `handle` gets the interactions of the client. A form has the custom id of the button that showed it,
so that nothing is kept in memory for it. What custom ids have no room for is kept there: see `kept`.
"""

import asyncio
import inspect
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import discord
from discord import ui

from bot.errors import Refused
from bot.languages import Worded, lazy, pgettext
from bot.ui.kit.answers import (
    Host,
    answer_if_possible,
    ask_buttons,
    begin_to_handle,
    host_of,
    tell,
    words_for,
)
from bot.ui.kit.forms import show_form
from bot.ui.kit.layout import BAD, Panel, boxed, custom_ids, row
from bot.ui.reading.permissions import LET_IN, ensure_manager, ensure_panel_opener

_P = ParamSpec("_P")
# How the custom ids of lasting buttons begin: discord.py finds their code without us.
LASTING = "studii:"
MAX_ID_CHARACTERS = 100  # of a custom id
OPEN_FOR = 60 * 60.0  # seconds in which a form can be handed in that is kept in memory
Id = Annotated[str, "[0-9a-f]{16}"]  # of a job, a set or a request
_PATTERNS = {int: "[0-9]{1,20}", str: "[a-z0-9_-]{1,32}"}
_controls: list["Control[...]"] = []


@dataclass(frozen=True, slots=True)
class Press:
    """A press, a choice or a form that was handed in.

    `values` are what was chosen, or what is in the form's fields by their custom ids. `let_in`: it is in a
    panel whose opener has no Manage Server.
    """

    interaction: discord.Interaction[Any]
    values: Any
    let_in: bool

    @property
    def host(self) -> Host:
        return host_of(self.interaction)

    def uploaded(self, name: str) -> list[discord.Attachment]:
        """Return the files that are in a form's field, if it has that one."""
        found: Any = cast(Any, self.interaction.data).get("resolved", {}).get("attachments", {})
        state = self.interaction._state  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        return [discord.Attachment(data=found[one], state=state) for one in self.values.get(name) or ()]

    async def ask(self, title: Worded, *fields: ui.Item[Any]) -> None:
        """Answer with a form. `submitted` of the same control gets what is entered."""
        await show_form(self.interaction, _custom_id(self.interaction), str(title), *fields)

    async def ask_again(self, refusal: Exception, title: Worded, *fields: ui.Item[Any]) -> None:
        """Say why the form was refused, with a button that shows it again with these fields."""
        custom_id = _custom_id(self.interaction)

        async def again(press: Press) -> None:
            await show_form(press.interaction, custom_id, str(title), *fields)

        await show_refused(self.interaction, refusal, again)


# Raises `Refused` if the person may not press it. It gets the arguments that are in the custom id.
Check = Callable[..., object]
Handler = Callable[..., Awaitable[None]]


def anyone(_press: Press, **_arguments: object) -> None:
    """Let everyone press it who sees it."""


def admin(press: Press, **_arguments: object) -> None:
    """Let people with Manage Server press it, and those let in who opened the panel within the hour."""
    ensure_panel_opener(press.interaction, let_in=press.let_in)


def manager(press: Press, **_arguments: object) -> None:
    """Let those with Manage Server press it."""
    ensure_manager(press.interaction)


@dataclass(frozen=True)
class Control(Generic[_P]):
    """A kind of button, list or form: its look, its custom ids, who may use it, and what it does."""

    pattern: str
    handler: Callable[Concatenate[Press, _P], Awaitable[None]]
    look: Mapping[str, Any]  # arguments of `ui.Button`
    who: Check
    forms: list[Handler] = field(default_factory=list[Handler])

    def of(self, *args: _P.args, **kwargs: _P.kwargs) -> ui.Button[Any]:
        """Return a button with these arguments."""
        look: dict[str, Any] = {**self.look, "label": str(self.look["label"])}
        return ui.Button[Any](**look, custom_id=self.id(*args, **kwargs))

    def looking(self, **look: Any) -> "Control[_P]":
        """Return the same with another look."""
        return replace(self, look={**self.look, **look})

    def id(self, *args: _P.args, **kwargs: _P.kwargs) -> str:
        """Return the custom id with these arguments, for a list or a form."""
        bound = inspect.signature(self.handler).bind(cast(Any, None), *args, **kwargs)
        given = {name: value for name, value in bound.arguments.items() if value is not None}
        kept = re.sub(
            r"\[(.*?)\]",
            lambda part: part[1] if set(re.findall(r"{(\w+)}", part[1])) <= given.keys() else "",
            self.pattern,
        )
        made = f"{LASTING}{kept.format(**given)}"
        if self.regex.fullmatch(made) is None or len(made) + len(LET_IN) > MAX_ID_CHARACTERS:
            raise ValueError(f"{made!r} doesn't fit {self.pattern!r}, or is too long")
        return made

    def submitted(self, handler: Handler) -> Handler:
        """Register what is done with the form that the handler shows.

        Where the message is, and what it holds, gives no right there: people's apps say that.
        """
        self.forms.append(handler)
        return handler

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern of the custom ids, without the mark of those who were let in."""
        escaped = re.sub(r"[^{}\[\]\w]", r"\\\g<0>", self.pattern).replace("[", "(?:").replace("]", ")?")
        kinds = get_type_hints(self.handler, include_extras=True)
        return re.compile(
            LASTING + re.sub(r"{(\w+)}", lambda name: f"(?P<{name[1]}>{_pattern(kinds[name[1]])})", escaped)
        )

    def parsed(self, match: re.Match[str]) -> dict[str, Any]:
        """Return the arguments in a custom id. What was left out is not among them."""
        kinds = get_type_hints(self.handler)
        given = {name: text for name, text in match.groupdict().items() if text is not None}
        return {name: int(text) if int in _kinds(kinds[name]) else text for name, text in given.items()}


def marked(panel: Panel, *, let_in: bool) -> Panel:
    """Return the panel, with its controls marked if its opener has no Manage Server and was `let_in`."""
    controls: list[Any] = [one for one in panel.walk_children() if getattr(one, "custom_id", None)]
    for one in controls if let_in else ():
        one.custom_id += LET_IN
    return panel


FORM_OUTDATED = lazy(
    "That was open for too long, or the bot has restarted since. Open it again. "
    "Nothing was changed or charged."
)
BUTTON_OUTDATED = lazy(
    "This is from an earlier version of the bot. Run the command again. Nothing was changed."
)


def button(
    pattern: str, *, label: Worded = "…", who: Check = anyone, **look: Any
) -> Callable[[Callable[Concatenate[Press, _P], Awaitable[None]]], Control[_P]]:
    """Register a coroutine for custom ids like the pattern."""

    def register(handler: Callable[Concatenate[Press, _P], Awaitable[None]]) -> Control[_P]:
        control = Control(pattern, handler, {"label": label, **look}, who)
        _controls.append(control)
        return control

    return register


def find(custom_id: str) -> tuple[Control[...], dict[str, Any]] | None:
    """Return the control that has this custom id, with the arguments in it."""
    for control in _controls:
        if match := control.regex.fullmatch(custom_id.removesuffix(LET_IN)):
            return control, control.parsed(match)
    return None


async def handle(interaction: discord.Interaction[Any]) -> None:
    """Do what was pressed, chosen or handed in. Every error ends here, as words for the person alone."""
    custom_id = _custom_id(interaction)
    if not custom_id:
        return
    begin_to_handle(interaction)
    try:
        await _handle(interaction, custom_id)
    except Exception as error:  # noqa: BLE001 - the person would see that it failed, without a reason
        await tell(interaction, error)


async def _handle(interaction: discord.Interaction[Any], custom_id: str) -> None:
    message, form = interaction.message, interaction.type is discord.InteractionType.modal_submit
    # People's apps choose the custom id that they send. A form has that of the button that showed it, which
    # may be gone meanwhile: `submitted` checks who may without it.
    held = message is not None and custom_id in custom_ids(message.components)
    if (found := find(custom_id)) is None:
        raise Refused(BUTTON_OUTDATED if held else FORM_OUTDATED)
    control, arguments = found
    if not (control.forms if form else held):
        raise Refused(
            lazy("That button isn't in the message any more. Check the message again. Nothing was changed.")
        )
    press = Press(interaction, _values(interaction), held and custom_id.endswith(LET_IN))
    control.who(press, **arguments)
    await (control.forms[0] if form else cast(Handler, control.handler))(press, **arguments)


def _values(interaction: discord.Interaction[Any]) -> Any:
    """Return the values of a list, or those of a form's fields by custom id: a string, a list or a yes/no."""
    data: Any = interaction.data
    if interaction.type is not discord.InteractionType.modal_submit:
        return data.get("values", [])
    fields = [one["component"] for one in data["components"] if "component" in one]
    return {one["custom_id"]: one.get("value", one.get("values")) for one in fields}


def _custom_id(interaction: discord.Interaction[Any]) -> str:
    kinds = (discord.InteractionType.component, discord.InteractionType.modal_submit)
    return str(cast(Any, interaction.data)["custom_id"]) if interaction.type in kinds else ""


def _pattern(kind: Any) -> str:
    """Return the pattern of an argument of that type."""
    (one,) = _kinds(kind)
    if get_origin(one) is Annotated:
        return str(get_args(one)[1])
    if get_origin(one) is Literal:
        return "|".join(re.escape(value) for value in get_args(one))
    return _PATTERNS[one]


def _kinds(kind: Any) -> list[Any]:
    several = () if get_origin(kind) in (Annotated, Literal) else get_args(kind)
    return [one for one in several or (kind,) if one is not type(None)]


@button("open:{token}[:{number}]")
async def go_on(press: Press, token: Id, number: int | None = None) -> None:
    """Go on from a list or a button by what is kept in memory for it, or for it and others with numbers."""
    then = _next(press.host.open_forms.get(token))
    await (then(press) if number is None else then(press, number))


@go_on.submitted
async def go_on_from_form(press: Press, token: str, **_number: int) -> None:
    """The same for a form, which is handed in once."""
    await _next(press.host.open_forms.pop(token, None))(press)


def kept(host: Host, then: Handler) -> str:
    """Return the custom id of a form, a list or a button, after which `then` gets the press."""
    token = secrets.token_hex(8)
    host.open_forms[token] = then
    asyncio.get_running_loop().call_later(OPEN_FOR, host.open_forms.pop, token, None)
    return go_on.id(token)


async def show_refused(interaction: discord.Interaction, error: Exception, again: Handler) -> None:
    """Tell the person alone why their form was refused, with Edit: `again` shows it as they filled it in."""
    edit = ui.Button[Any](
        label=pgettext("button", "Edit"),
        style=discord.ButtonStyle.primary,
        custom_id=kept(host_of(interaction), again),
    )
    said = words_for(interaction, error)
    await answer_if_possible(interaction, boxed(BAD, said, row(edit, *ask_buttons(error))))


def _next(then: Handler | None) -> Handler:
    if then is None:
        raise Refused(FORM_OUTDATED)
    return then
