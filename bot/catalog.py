"""Studii's tools as data: their inputs, outputs and assumed costs."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

import msgspec
from msgspec import Meta, Struct, field

from bot.errors import Refused, SettingsError
from bot.languages import Language, Line, Message, Texts, ensure_english, in_any_language, lazy, worded
from bot.visible_text import visible

# What Discord takes as the name of a command or an option; Studii's slugs and inputs fit it.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
ApiName = Annotated[str, Meta(pattern=r"\A[a-z0-9_-]{1,32}\Z")]
MAX_LONG_TEXT = 2000  # characters
MAX_SHORT_TEXT = 100
MAX_TITLE = 32  # Discord's limit of a menu's name
TITLE_CONTEXT = "input"  # of the translations of inputs' names; their values have the input's own name
SHIPPED = Path(__file__).with_name("tools.toml")

Kind = Literal["image", "video"]
Credits = Annotated[int, Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
USUAL_SECONDS: Mapping[Kind, float] = MappingProxyType({"image": 12.0, "video": 90.0})
# Commands of the bot's own; a tool is a command too.
RESERVED = frozenset({"credits", "help", "jobs", "settings", "studii", "styles"})
_TOO_LONG = lazy("`{input}` can have at most {most} characters. Yours has {count}.")
MAX_OPTIONS = 21  # of Discord's 25, less the image and what every command has beside its inputs


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
    def needed(self) -> bool:
        """Return whether a request without a value for it is refused."""
        return self.required and self.default is None

    @property
    def description(self) -> str:
        """Return what the input is for, in the language that is spoken now."""
        return worded(self.description_texts)

    @property
    def max_length(self) -> int:
        """Return the maximal number of characters."""
        return MAX_LONG_TEXT if self.long else MAX_SHORT_TEXT


class SourceRule(StrEnum):
    """A tool's need of a photo to start from."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class SourceFlag(Struct, frozen=True, forbid_unknown_fields=True):
    """An input whose value depends on whether there is a photo."""

    name: ApiName
    with_photo: Line = field(name="with")
    without_photo: Line = field(name="without")


class Tool(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of the API. `tools.toml` explains the fields."""

    slug: ApiName
    title_texts: Texts = field(name="title")
    summary_texts: Texts = field(name="summary")
    emoji: Annotated[str, Meta(min_length=1, max_length=64)]
    source: SourceRule
    source_flag: SourceFlag | None = None
    output: Kind | None = None
    output_from: ApiName | None = None
    assumed_cost: Credits | Mapping[Line, Credits]
    usual_seconds: Seconds | Mapping[Kind, Seconds] | None = None
    portrait: bool = False
    inputs: Annotated[tuple[ToolInput, ...], Meta(max_length=MAX_OPTIONS)] = ()

    def __post_init__(self) -> None:
        """Raise ValueError if the fields don't fit together."""
        ensure_english(self.title_texts, self.summary_texts)
        titles = [self.title_texts] if isinstance(self.title_texts, str) else self.title_texts.values()
        if max(map(len, titles)) > MAX_TITLE:
            raise ValueError(f"title can have at most {MAX_TITLE} characters: Discord shows it in menus")
        if self.slug in RESERVED:
            raise ValueError(f"{self.slug!r} is one of the bot's own commands: give the tool another name")
        names = [one.name for one in self.inputs]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"the input {min(doubled)!r} is there twice")
        if taken := {"image", "private", "extra"} & set(names):
            raise ValueError(f"{min(taken)!r} is an option of every command: give the input another name")
        if (self.output is None) == (self.output_from is None):
            raise ValueError("set either output or output_from")
        if self.output_from is not None and self.output_from not in names:
            raise ValueError(f"output_from names {self.output_from!r}, which isn't one of its inputs")
        self._check_assumed_cost()
        if self.source_flag is not None and self.source_flag.name in names:
            raise ValueError(f"source_flag is {self.source_flag.name!r}, which is already one of its inputs")

    def _check_assumed_cost(self) -> None:
        if isinstance(self.assumed_cost, int):
            return
        mode = self.input(self.output_from or "")
        if mode is None:
            raise ValueError(
                "assumed_cost can only differ by mode if output_from names an input: give one number"
            )
        if not mode.price:
            raise ValueError(f"assumed_cost differs by {mode.name}, so that input needs price = true")
        wanted = set(mode.known_values)
        given = set(self.assumed_cost)
        if missing := sorted(wanted - given):
            raise ValueError(f"assumed_cost has no figure for {mode.name} {missing[0]!r}")
        if unknown := sorted(given - wanted):
            raise ValueError(f"assumed_cost names {unknown[0]!r}, which {mode.name} does not suggest")
        if not given:
            raise ValueError("assumed_cost has no figure")

    @property
    def title(self) -> str:
        """Return the tool's name for people, in the language that is spoken now."""
        return worded(self.title_texts)

    @property
    def lazy_title(self) -> Message:
        """The title, to be worded when it is shown: a decision is made for readers of several languages."""
        return Message((self.title_texts,), {}, worded)

    @property
    def summary(self) -> str:
        """Return what the tool does, in the language that is spoken now."""
        return worded(self.summary_texts)

    def prepare(self, values: Mapping[str, str | None], *, has_source: bool) -> dict[str, str]:
        """Return the inputs to send, with defaults and without blanks.

        Raises `Refused` if a required input is missing, or one is too long.
        """
        if self.source is SourceRule.REQUIRED and not has_source:
            raise Refused(
                lazy("{tool} needs a photo. Attach one as `image` and try again.", tool=self.lazy_title)
            )
        if self.source is SourceRule.NONE and has_source:
            raise Refused(
                lazy("{tool} doesn't take a photo. Leave out `image` and try again.", tool=self.lazy_title)
            )
        prepared: dict[str, str] = {}
        if self.source_flag is not None:
            flag = self.source_flag
            prepared[flag.name] = flag.with_photo if has_source else flag.without_photo
        for one in self.inputs:
            typed = (values.get(one.name) or "").strip()
            value = one.meant(typed) if visible(typed).strip() else one.default
            if value is None and one.required:
                raise Refused(
                    lazy(
                        "{tool} needs `{input}`: “{description}”.",
                        tool=self.lazy_title,
                        input=one.name,
                        description=one.description,
                    )
                )
            if value is None:
                continue
            if len(value) > one.max_length:
                raise Refused(_TOO_LONG.using(input=one.name, most=one.max_length, count=len(value)))
            prepared[one.name] = value
        return prepared

    def input(self, name: str) -> ToolInput | None:
        """Return the input with that name, or None if it isn't in the catalogue."""
        return next((one for one in self.inputs if one.name == name), None)

    def named_value(self, name: str, value: str) -> tuple[str, str]:
        """Return what people read for an input and its value, in the language that is spoken now."""
        one = self.input(name)
        return (spaced(name), value) if one is None else (one.title, one.shown(value))

    @property
    def prompt(self) -> ToolInput | None:
        """Return the input that a person's own words are for: the first that takes several lines."""
        return next((one for one in self.inputs if one.long), None)

    def chosen(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """Return the inputs that a person chose: no default of the catalogue, and nothing that follows from a
        photo."""
        given = {one.name: one.default for one in self.inputs}
        if self.source_flag is not None:
            given[self.source_flag.name] = inputs.get(self.source_flag.name)
        return {name: value for name, value in inputs.items() if given.get(name) != value}

    def texts(self, inputs: Mapping[str, str]) -> list[str]:
        """Return every text of a request: the values, and the names that are not the tool's."""
        return [*self.chosen(inputs).values(), *self.undeclared(inputs)]

    def variant(self, inputs: Mapping[str, str]) -> str:
        """Return the inputs that change the price, in a fixed order: `mode=image quality=standard`."""
        priced = [one.name for one in self.inputs if one.price and one.name in inputs]
        return " ".join(f"{name}={inputs[name]}" for name in (*priced, *self.undeclared(inputs)))

    def mode(self, inputs: Mapping[str, str]) -> str | None:
        """Return the input that selects the output, as in a variant: `mode=video`. None if unknown."""
        one = next((one for one in self.inputs if one.name == self.output_from and one.price), None)
        value = None if one is None else inputs.get(one.name)
        return f"{one.name}={value}" if one is not None and value in one.suggestions else None

    def assumed(self, inputs: Mapping[str, str]) -> int:
        """Return the assumed cost in credits, the highest for an unknown mode."""
        if isinstance(self.assumed_cost, int):
            return self.assumed_cost
        dearest = max(self.assumed_cost.values())
        return self.assumed_cost.get(inputs.get(self.output_from or "", ""), dearest)

    def price_name(self, inputs: Mapping[str, str], variant: str) -> str:
        """Return the name of what is charged alike: jobs of one tool and variant.

        Inputs outside the catalogue, which may cost anything, count as one for each mode.
        """
        if self.in_catalogue(inputs):
            return f"{self.slug} {variant}"
        return f"{self.slug} {self.mode(inputs) or ''} *"

    def undeclared(self, inputs: Mapping[str, str]) -> list[str]:
        """Return the sorted names of inputs that are not in the catalogue, which may cost anything."""
        known = {one.name for one in self.inputs}
        if self.source_flag is not None:
            known.add(self.source_flag.name)
        return sorted(inputs.keys() - known)

    def in_catalogue(self, inputs: Mapping[str, str]) -> bool:
        """Return whether all inputs are declared, and those that change the price have suggested values."""
        return not self.undeclared(inputs) and all(
            inputs[one.name] in one.suggestions for one in self.inputs if one.price and one.name in inputs
        )

    def output_kind(self, inputs: Mapping[str, str]) -> Kind:
        """Return the kind of output for these inputs."""
        if self.output is not None:
            return self.output
        return "video" if inputs.get(self.output_from or "") == "video" else "image"

    def usually_takes(self, output_kind: Kind) -> float:
        """Return the assumed seconds from submission to the end."""
        if isinstance(self.usual_seconds, int | float):
            return self.usual_seconds
        return (self.usual_seconds or USUAL_SECONDS).get(output_kind, USUAL_SECONDS[output_kind])


class Catalog:
    """All tools, in the order of the file."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self.tools = tools

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the tools from `path`, or from the file that ships with the bot.

        Raises `SettingsError` with the file, the table and the reason.
        """
        file = path or SHIPPED
        try:
            with file.open("rb") as stream:
                tables = tomllib.load(stream)
        except OSError as error:
            raise SettingsError(f"STUDII_TOOLS_FILE: {file} can't be read ({error.strerror}).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SettingsError(f"{file} isn't valid TOML: {error}.") from error
        if not tables:
            raise SettingsError(f"{file} has no tools.")
        return cls({slug: _tool(file, slug, table) for slug, table in tables.items()})

    def get(self, slug: str) -> Tool:
        """Return the tool with that slug. Raises `Refused` if there is none."""
        tool = self.tools.get(slug)
        if tool is None:
            raise Refused(lazy("The tool “{tool}” isn't available here any more.", tool=slug[:40]))
        return tool

    def title(self, slug: str) -> str:
        """Return the name of a tool, also of one that is no longer in the catalogue."""
        return self.tools[slug].title if slug in self.tools else slug

    def emoji(self, slug: str) -> str:
        """Return the emoji of a tool, also of one that is no longer in the catalogue."""
        return self.tools[slug].emoji if slug in self.tools else "🪄"

    def named(self, typed: str) -> Tool:
        """Return the tool that a person means by a slug, or by a title in any language.

        Raises `Refused` if there is none.
        """
        name = typed.strip().casefold()
        for tool in self.tools.values():
            if name == tool.slug or name in in_any_language(tool.title_texts):
                return tool
        raise Refused(
            lazy("There's no tool “{tool}”. Choose one from the list. Nothing was changed.", tool=typed[:40])
        )


def _tool(file: Path, slug: str, given: object) -> Tool:
    try:
        table = msgspec.convert(given, dict[str, object])
        return msgspec.convert({**table, "slug": slug}, Tool)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at ")
        place = where.rpartition("$")[2].rstrip("`")
        # Untranslated: as msgspec says it
        if value := reason.partition("Invalid enum value ")[2]:
            of_output = place.startswith((".output", ".usual_seconds"))
            may_be = SourceRule if place == ".source" else get_args(Kind) if of_output else Language
            # Untranslated: the operator reads it
            reason = f"{value} isn't one of {', '.join(may_be)}"
        raise SettingsError(f"{file}: [{slug}]{place}: {reason}.") from error
