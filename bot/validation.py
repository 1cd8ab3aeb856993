"""Checks of what comes from outside: the settings, an operator's catalogue, Studii's answers.

A check takes a value and returns it as it is used from then on, or raises `Invalid`.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, cast, overload

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Check = Callable[[object], T]

_WHOLE = re.compile(r"[+-]?\d+(?:_\d+)*(?:\.0*)?", re.ASCII)
_MAX_DIGITS = 100
_TRUTH = {
    **dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "off", "f", "false", "n", "no"), False),
}
_UNSET: Any = object()


# In a name, other characters never resolve, and some libraries raise something unexpected for them.
_NOT_IN_A_HOST = frozenset(" \t\r\n/\\@?#<>\"'")


def is_host(text: str) -> bool:
    """Return whether a machine can have that name or address, as far as its text shows."""
    try:
        text.encode("idna")  # as `socket.getaddrinfo` does, which raises UnicodeError
    except UnicodeError:
        return False
    return bool(text) and _NOT_IN_A_HOST.isdisjoint(text)


class Invalid(ValueError):
    """A value that can't be used.

    `reason` follows the value's name in a sentence without its full stop. `where` are the names and places
    inside the value that lead to what is wrong.
    """

    def __init__(self, reason: str, *where: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


class Secret:
    """A text that shows in no log, no error message and no list of variables."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def text_of(
    least: int = 0, most: int | None = None, *, stripped: bool = False, form: str = "", like: str = ""
) -> Check[str]:
    """Return a check of texts by their number of characters, and by the regular expression `form` for the
    whole text, which `like` words."""
    pattern = re.compile(form)

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise Invalid("must be a text")
        value = value.strip() if stripped else value
        if len(value) < least:
            raise Invalid("is empty" if not value else f"must have at least {least} characters")
        if most is not None and len(value) > most:
            raise Invalid(f"must have at most {most} characters")
        if form and not pattern.fullmatch(value):
            raise Invalid(like)
        return value

    return check


def whole(least: int | None = None, most: int | None = None) -> Check[int]:
    """Return a check of whole numbers, which may be written as a text."""

    def check(value: object) -> int:
        if isinstance(value, str):
            if not _WHOLE.fullmatch(value.strip()):
                raise Invalid("must be a whole number")
            if len(value) > _MAX_DIGITS:
                raise Invalid("is too large")
            value = int(value.partition(".")[0])
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid("must be a whole number")
        if least is not None and value < least:
            raise Invalid(f"must be at least {least}")
        if most is not None and value > most:
            raise Invalid(f"must be at most {most}")
        return value

    return check


def number_between(above: float, most: float) -> Check[float]:
    """Return a check of numbers that are more than `above` and at most `most`."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise Invalid("must be a number")
        if value <= above:
            raise Invalid(f"must be more than {above}")
        if value > most:
            raise Invalid(f"must be at most {most}")
        return float(value)

    return check


def truth(value: object) -> bool:
    """Check a value that is true or false, also as one of the words for them."""
    found = value if isinstance(value, bool) else _TRUTH.get(str(value).lower())
    if found is None:
        raise Invalid("must be true or false")
    return found


def one_of(values: Collection[T]) -> Check[T]:
    """Return a check of texts that name one of the values."""
    known = {str(value): value for value in values}
    *others, last = map(repr, known)
    reason = f"must be {', '.join(others)} or {last}"

    def check(value: object) -> T:
        if not isinstance(value, str) or value not in known:
            raise Invalid(reason)
        return known[value]

    return check


def listed(each: Check[T], most: int) -> Check[tuple[T, ...]]:
    """Return a check of lists with at most as many members."""

    def check(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Invalid("must be a list")
        members = cast("list[object]", value)
        if len(members) > most:
            raise Invalid(f"must have at most {most} members")
        return tuple(_inside(place, each, member) for place, member in enumerate(members))

    return check


def mapped(key: Check[K], each: Check[V]) -> Check[Mapping[K, V]]:
    """Return a check of tables whose names are data as well."""

    def check(value: object) -> Mapping[K, V]:
        entries = table(value).entries
        return {_inside(name, key, name): _inside(name, each, entry) for name, entry in entries.items()}

    return check


def alone_or_table(alone: Check[T], by_name: Check[V]) -> Check[T | V]:
    """Return a check of values that are one by themselves, or a table of them."""

    def check(value: object) -> T | V:
        return by_name(value) if _is_table(value) else alone(value)

    return check


class Table:
    """A table whose fields are taken by name."""

    def __init__(self, entries: Mapping[str, object]) -> None:
        self.entries = entries
        self._taken: set[str] = set()

    @overload
    def take(self, name: str, check: Check[T]) -> T: ...
    @overload
    def take(self, name: str, check: Check[T], default: V) -> T | V: ...

    def take(self, name: str, check: Check[T], default: Any = _UNSET) -> Any:
        """Return the field, or the default if it is missing. Raises `Invalid`."""
        self._taken.add(name)
        if name in self.entries:
            return _inside(name, check, self.entries[name])
        if default is _UNSET:
            raise Invalid("is missing", name)
        return default

    def end(self) -> None:
        """Raise `Invalid` if a field was not taken."""
        for name in self.entries:
            if name not in self._taken:
                raise Invalid("is unknown. Leave it out", name)


def table(value: object) -> Table:
    """Check that the value is a table, and return it to be taken apart."""
    if not _is_table(value):
        raise Invalid("must be a table")
    return Table(cast("Mapping[str, object]", value))


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _inside(place: str | int, check: Check[T], value: object) -> T:
    try:
        return check(value)
    except Invalid as error:
        raise Invalid(error.reason, place, *error.where) from None
