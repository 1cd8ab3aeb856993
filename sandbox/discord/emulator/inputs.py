"""What Discord's client sends of a command's options, a choice from a menu, and a form that was filled in.

https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-data
https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from sandbox.discord.emulator.forms import (
    ATTACHMENT_OPTION,
    CHECKBOX,
    LABEL,
    RADIO,
    TEXT_INPUT,
    UPLOAD,
    is_offered,
)
from sandbox.discord.emulator.places import Guild

MENU = 3  # a kind of command
INTEGER, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = 4, 6, 7, 8, 9, 10  # kinds of options
ACTION_ROW = 1
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
_OPTIONS: Mapping[int, str] = {USER: "users", CHANNEL: "channels", ROLE: "roles", MENTIONABLE: "mentionables"}
_SELECTS: Mapping[int, str] = {
    USER_SELECT: "users",
    CHANNEL_SELECT: "channels",
    ROLE_SELECT: "roles",
    MENTIONABLE_SELECT: "mentionables",
}


class NotFilledInError(ValueError):
    """Something that Discord's client asks for before it sends anything is missing."""


class Resolved:
    """What the ids in somebody's input stand for."""

    def __init__(self, guild: Guild) -> None:
        self._guild = guild
        self.found: dict[str, dict[str, Any]] = {}

    def add(self, kind: str, numbers: Iterable[str]) -> None:
        """Add users, channels, roles, or mentionables (which are users or roles)."""
        for number in numbers:
            one = kind
            if kind == "mentionables":
                one = "roles" if int(number) in self._guild.roles else "users"
            if one == "users":
                member = self._guild.member(int(number))
                self._put("users", number, member.pop("user"))
                self._put("members", number, member)
            elif one == "roles":
                self._put("roles", number, self._guild.roles[int(number)].told())
            else:
                self._put("channels", number, self._guild.channels[int(number)].told() | {"permissions": "0"})

    def add_files(self, files: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add attachments, and return their ids."""
        numbers: list[str] = []
        for file in files:
            numbers.append(str(file["id"]))
            self._put("attachments", numbers[-1], dict(file))
        return numbers

    def _put(self, kind: str, number: str, what: dict[str, Any]) -> None:
        self.found.setdefault(kind, {})[number] = what


def command_input(
    command: Mapping[str, Any],
    path: Sequence[str],
    values: Mapping[str, Any],
    guild: Guild,
    focused: str | None = None,
) -> dict[str, Any]:
    """Return the data of a slash command. `path`: the names of its group and subcommand. `values`: by
    option; attachments as Discord tells of them. `focused`: the option that is being typed.

    Raises `NotFilledInError` if a required option is missing, unless one is being typed.
    """
    definition, kinds = command, list[tuple[str, int]]()
    for name in path:
        definition = next(one for one in definition.get("options", ()) if one["name"] == name)
        kinds.append((name, int(definition["type"])))
    resolved = Resolved(guild)
    given: list[dict[str, Any]] = []
    for option in definition.get("options", ()):
        name = str(option["name"])
        if values.get(name) in (None, "") and name != focused:
            if option.get("required") and focused is None:
                raise NotFilledInError(f"{name} is missing.")
            continue
        one = {"name": name, "type": option["type"], "value": _option(option, values.get(name, ""), resolved)}
        given.append(one | ({"focused": True} if name == focused else {}))
    for name, kind in reversed(kinds):
        given = [{"name": name, "type": kind, "options": given}]
    data = {"id": str(command["id"]), "name": command["name"], "type": command.get("type", 1)}
    return data | {"options": given} | ({"resolved": resolved.found} if resolved.found else {})


def _option(option: Mapping[str, Any], value: Any, resolved: Resolved) -> Any:
    kind = int(option["type"])
    if kind == ATTACHMENT_OPTION:
        _ensure_offered(option, [value])
        return resolved.add_files([value])[0]
    if kind in _OPTIONS:
        resolved.add(_OPTIONS[kind], [str(value)])
        return str(value)
    try:
        return _typed(kind, value)
    except ValueError:
        raise NotFilledInError(f"{option['name']} isn't a number.") from None


def _typed(kind: int, value: Any) -> Any:
    if kind == INTEGER:
        return int(value)
    return float(value) if kind == NUMBER else value


def select_input(component: Mapping[str, Any], values: Sequence[str], guild: Guild) -> dict[str, Any]:
    """Return the data of a choice from a message's menu."""
    resolved = Resolved(guild)
    kind = int(component["type"])
    if kind in _SELECTS:
        resolved.add(_SELECTS[kind], values)
    data = {"custom_id": component["custom_id"], "component_type": kind, "values": list(values)}
    return data | ({"resolved": resolved.found} if resolved.found else {})


def form_input(form: Mapping[str, Any], values: Mapping[str, Any], guild: Guild) -> dict[str, Any]:
    """Return the data of a form. `values`: by custom id; files as Discord tells of attachments.

    Raises `NotFilledInError` if a required field is missing.
    """
    resolved, numbers = Resolved(guild), count(1)
    filled = [_filled(one, values, resolved, numbers) for one in form["components"]]
    data = {"custom_id": form["custom_id"], "components": filled}
    return data | ({"resolved": resolved.found} if resolved.found else {})


def _filled(
    component: Mapping[str, Any], values: Mapping[str, Any], resolved: Resolved, numbers: Iterator[int]
) -> dict[str, Any]:
    kind = int(component["type"])
    told: dict[str, Any] = {"type": kind, "id": next(numbers)}
    if kind == LABEL:
        field = component["component"]
        return told | {"component": _field(field, values, resolved, numbers, str(component["label"]))}
    if kind == ACTION_ROW:
        return told | {
            "components": [
                _field(one, values, resolved, numbers, str(one.get("label")))
                for one in component["components"]
            ]
        }
    return told


def _field(
    field: Mapping[str, Any],
    values: Mapping[str, Any],
    resolved: Resolved,
    numbers: Iterator[int],
    label: str,
) -> dict[str, Any]:
    kind, name = int(field["type"]), str(field["custom_id"])
    told: dict[str, Any] = {"type": kind, "id": next(numbers), "custom_id": name}
    value = values.get(name)
    if kind == CHECKBOX:
        return told | {"value": bool(value)}
    if value in (None, "", []) and field.get("required", True) and field.get("min_values", 1):
        raise NotFilledInError(f"{label} is missing.")
    if kind == TEXT_INPUT:
        return told | {"value": str(value or "")}
    if kind == RADIO:
        return told | {"value": value or None}
    chosen = list(value or ())
    if kind == UPLOAD:
        _ensure_offered(field, chosen)
        chosen = resolved.add_files(chosen)
    elif kind in _SELECTS:
        resolved.add(_SELECTS[kind], chosen)
    return told | {"values": chosen}


def _ensure_offered(asked: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> None:
    for file in files:
        if not is_offered(asked.get("file_types") or (), str(file["filename"])):
            raise NotFilledInError(f"{file['filename']} isn't a kind of file that can be chosen here.")
