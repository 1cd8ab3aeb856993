"""What the bot sends to the simulated Discord: looked at as it is, and handed on in English."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from tests.support.pseudo.letters import OPENING, cut_off, read
from tests.support.pseudo.plain import plain_english

# https://discord.com/developers/docs/components/reference and .../resources/message
ALL_TEXT = 4000  # characters over all text displays of a message
_BUTTON, _TEXT_INPUT, _LABEL = 2, 4, 18
_LISTS = (3, 5, 6, 7, 8)
_OF_TYPE = {
    _BUTTON: {"label": 80},
    _TEXT_INPUT: {"label": 45, "placeholder": 100, "value": 4000},
    _LABEL: {"label": 45, "description": 100},
    **{kind: {"placeholder": 150} for kind in _LISTS},
}
_OF_ITEMS = {"options": {"label": 100, "description": 100, "value": 100}, "choices": {"name": 100}}
_GIVES_WAY = ("title", "description")
_ANYWHERE = {"title": 45, "content": ALL_TEXT, "description": 1024}


def texts_of(payload: Any, limits: Mapping[str, int] = _ANYWHERE) -> Iterator[tuple[str, str, int]]:
    """Yield each text for people in what is sent: what it is, itself, and how long it may be."""
    if isinstance(payload, list | tuple):
        for one in cast("list[Any]", payload):
            yield from texts_of(one, limits)
    if isinstance(payload, Mapping):
        component = cast("Mapping[str, Any]", payload)
        own = _OF_TYPE.get(component.get("type", 0), limits)
        for name, value in component.items():
            if isinstance(value, str) and name in own:
                yield name, value, own[name]
            else:
                yield from texts_of(value, _OF_ITEMS.get(name, _ANYWHERE))


def faults_of(payload: Any, known: Callable[[str], bool] = lambda _: False) -> Iterator[str]:
    """Yield what is wrong with the texts that are sent. Lines that are `known` may be in English."""
    shown = 0
    for name, text, most in texts_of(payload):
        shown += len(text) if name == "content" else 0
        if len(text) > most:
            yield f"a {name} of {len(text)} characters, of which Discord takes {most}: {text!r}"
        if cut_off(text) and not (name in _GIVES_WAY and _names_a_tool(text)):
            yield f"a {name} that is cut: {text!r}"
        for line in () if name == "value" else text.splitlines():
            for said in () if known(line) else plain_english(line):
                yield f"a {name} with {said!r} in plain English: {line!r}"
    if shown > ALL_TEXT:
        yield f"texts of {shown} characters together, of which Discord takes {ALL_TEXT}"


def faults_of_commands(commands: Any, where: str = "") -> Iterator[str]:
    """Yield which texts of commands, in any language, Discord would not take."""
    for part in cast("list[Mapping[str, Any]]", commands if isinstance(commands, list) else [commands]):
        path = f"{where} {part.get('name', '')}"
        # Choices have a value, menus have no description.
        bounds = {"name": 100 if "value" in part else 32, "description": 100}
        for field, most in bounds.items():
            in_languages: dict[str, str] = {
                "": part.get(field) or "",
                **(part.get(f"{field}_localizations") or {}),
            }
            for language, text in in_languages.items():
                if len(text) > most:
                    yield f"the {field} of{path} in {language or 'English'} has {len(text)} characters"
        yield from faults_of_commands([*part.get("options", ()), *part.get("choices", ())], path)


def _names_a_tool(text: str) -> bool:
    """Return whether a tool's title or summary has too little room for a third more, beside its price or in a
    sentence. tests/languages/test_inputs.py looks at those that there are in each language."""
    return " · " in text or text.startswith(2 * OPENING)


def lines_of(payload: Any) -> Iterator[str]:
    """Yield each line of the texts for people."""
    for _, text, _ in texts_of(payload):
        yield from text.splitlines()


def in_english(payload: Any) -> Any:
    """Return the same payload with all its texts in English."""
    if isinstance(payload, str):
        return read(payload)
    if isinstance(payload, Mapping):
        return {name: in_english(value) for name, value in cast("Mapping[str, Any]", payload).items()}
    if isinstance(payload, list | tuple):
        return [in_english(one) for one in cast("list[Any]", payload)]
    return payload


def shown_by(panel: Any) -> list[Any]:
    """Return what a panel would send, in English, or fail for what is wrong with its texts."""
    components = panel.to_components()
    faults = list(faults_of(components))
    assert not faults, faults
    return in_english(components)
