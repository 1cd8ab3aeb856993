"""The inputs of Studii's tools as data: what Studii takes, and what people read for it."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.languages.texts import Line, Texts, in_any_language, worded

# What Discord takes as the name of a command or an option; Studii's slugs and inputs fit it.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
MAX_LONG_TEXT = 2000  # characters
MAX_SHORT_TEXT = 100
TITLE_CONTEXT = "input"  # of the translations of inputs' names; their values have the input's own name


def spaced(name: str) -> str:
    """Return the API's name of an input as words."""
    return name.replace("_", " ").replace("-", " ")


class Strict(BaseModel):
    """Part of the file of tools, in which nothing can be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolInput(Strict):
    """One input of a tool."""

    name: Name
    title_texts: Texts | None = Field(alias="title", default=None)
    description_texts: Texts = Field(alias="description")
    default: Line | None = None
    suggestions: Annotated[tuple[Line, ...], Field(max_length=25)] = ()
    value_texts: Mapping[Line, Texts] = Field(alias="shown_as", default={})
    required: bool = False
    price: bool = False
    long: bool = False

    @model_validator(mode="after")
    def _shows_its_values(self) -> Self:
        if unknown := sorted(set(self.value_texts) - set(self._values)):
            raise ValueError(f"shown_as names {unknown[0]!r}, which is neither suggested nor the default")
        return self

    @property
    def title(self) -> str:
        """The input's name for people, such as `room`, in the language that is spoken now."""
        return worded(self.title_texts or spaced(self.name), TITLE_CONTEXT)

    def shown(self, value: str) -> str:
        """Return what people read for a value, in the language that is spoken now.

        The catalogue's values have names; what somebody typed is returned as it is.
        """
        return worded(self.value_texts.get(value, value), self.name) if value in self._values else value

    def meant(self, typed: str) -> str:
        """Return the value that a person means by itself, or by its name in any language."""
        if typed in self._values or not self.suggestions:
            return typed
        name = typed.strip().casefold()
        for value in self._values:
            if name == value.casefold() or name in in_any_language(
                self.value_texts.get(value, value), self.name
            ):
                return value
        return typed

    @property
    def _values(self) -> tuple[str, ...]:
        """All values that the catalogue names."""
        return self.suggestions if self.default is None else (*self.suggestions, self.default)

    @property
    def description(self) -> str:
        """What the input is for, in the language that is spoken now."""
        return worded(self.description_texts)

    @property
    def max_length(self) -> int:
        """The maximal number of characters."""
        return MAX_LONG_TEXT if self.long else MAX_SHORT_TEXT
