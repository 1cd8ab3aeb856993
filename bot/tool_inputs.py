"""The inputs of Studii's tools as data: what Studii takes, and what people read for it."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, field

from bot.languages import Line, Texts, ensure_english, in_any_language, worded

# What Discord takes as the name of a command or an option; Studii's slugs and inputs fit it.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
ApiName = Annotated[str, Meta(pattern=r"\A[a-z0-9_-]{1,32}\Z")]
MAX_LONG_TEXT = 2000  # characters
MAX_SHORT_TEXT = 100
TITLE_CONTEXT = "input"  # of the translations of inputs' names; their values have the input's own name


def spaced(name: str) -> str:
    """Return the API's name of an input as words."""
    return name.replace("_", " ").replace("-", " ")


class ToolInput(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input of a tool."""

    name: ApiName
    title_texts: Texts | None = field(default=None, name="title")
    description_texts: Texts = field(name="description")
    default: Line | None = None
    suggestions: Annotated[tuple[Line, ...], Meta(max_length=25)] = ()
    value_texts: Mapping[Line, Texts] = field(default_factory=dict[str, Texts], name="shown_as")
    required: bool = False
    price: bool = False
    long: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError if the fields don't fit together."""
        ensure_english(self.title_texts or "", self.description_texts, *self.value_texts.values())
        if unknown := sorted(set(self.value_texts) - set(self.known_values)):
            raise ValueError(f"shown_as names {unknown[0]!r}, which is neither suggested nor the default")

    @property
    def title(self) -> str:
        """Return the input's name for people, such as `room`, in the language that is spoken now."""
        return worded(self.title_texts or spaced(self.name), TITLE_CONTEXT)

    def shown(self, value: str) -> str:
        """Return what people read for a value, in the language that is spoken now.

        The catalogue's values have names. Any other value is returned unchanged.
        """
        return worded(self.value_texts.get(value, value), self.name) if value in self.known_values else value

    def meant(self, typed: str) -> str:
        """Return the value that a person means by itself, or by its name in any language."""
        if typed in self.known_values or not self.suggestions:
            return typed
        name = typed.strip().casefold()
        for value in self.known_values:
            if name == value.casefold() or name in in_any_language(
                self.value_texts.get(value, value), self.name
            ):
                return value
        return typed

    @property
    def known_values(self) -> tuple[str, ...]:
        """Return all values that the catalogue names."""
        return self.suggestions if self.default is None else (*self.suggestions, self.default)

    @property
    def description(self) -> str:
        """Return what the input is for, in the language that is spoken now."""
        return worded(self.description_texts)

    @property
    def max_length(self) -> int:
        """Return the maximal number of characters."""
        return MAX_LONG_TEXT if self.long else MAX_SHORT_TEXT
