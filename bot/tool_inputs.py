"""The inputs of Studii's tools as data: what Studii takes, and what people read for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.languages.texts import Texts, in_any_language, line, texts, worded
from bot.validation import Invalid, listed, mapped, table, text_of, truth

# What Discord takes as the name of a command or an option; Studii's slugs and inputs fit it.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
api_name = text_of(form="[a-z0-9_-]{1,32}", like="must have 1 to 32 of the characters a-z, 0-9, _ and -")
MAX_LONG_TEXT = 2000  # characters
MAX_SHORT_TEXT = 100
TITLE_CONTEXT = "input"  # of the translations of inputs' names; their values have the input's own name


def spaced(name: str) -> str:
    """Return the API's name of an input as words."""
    return name.replace("_", " ").replace("-", " ")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolInput:
    """One input of a tool."""

    name: str
    title_texts: Texts | None = None
    description_texts: Texts
    default: str | None = None
    suggestions: tuple[str, ...] = ()
    value_texts: Mapping[str, Texts] = field(default_factory=dict[str, Texts])
    required: bool = False
    price: bool = False
    long: bool = False

    @classmethod
    def of(cls, value: object) -> Self:
        """Read a table of the file. Raises `Invalid`."""
        fields = table(value)
        made = cls(
            name=fields.take("name", api_name),
            title_texts=fields.take("title", texts, None),
            description_texts=fields.take("description", texts),
            default=fields.take("default", line, None),
            suggestions=fields.take("suggestions", listed(line, 25), ()),
            value_texts=fields.take("shown_as", mapped(line, texts), dict[str, Texts]()),
            required=fields.take("required", truth, False),
            price=fields.take("price", truth, False),
            long=fields.take("long", truth, False),
        )
        fields.end()
        if unknown := sorted(set(made.value_texts) - set(made.known_values)):
            raise Invalid(f"shown_as names {unknown[0]!r}, which is neither suggested nor the default")
        return made

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
