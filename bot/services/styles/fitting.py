"""Apply a style to a tool's inputs, and check that the catalogue still has what it needs. Pure."""

from collections.abc import Mapping

from bot.catalog import Catalog, Tool
from bot.domain.styles import Style, wants_words, with_words
from bot.errors import Refused
from bot.languages import Message, lazy

TOOL_GONE = lazy("The style “{name}” is for a tool that isn't here any more. Nothing was charged.")
NO_INPUT = lazy(
    "The style “{name}” no longer fits: {tool} doesn't take `{input}` any more. Remove it and save a new "
    "one. Nothing was charged."
)
OTHER_TOOL = lazy("The style “{name}” is for {tool}. Use it with `/{slug}`. Nothing was charged.")
WORDS_NEEDED = lazy("The style “{name}” needs your own words: type them as `{input}`. Nothing was charged.")


class WordsNeeded(Refused):
    """The style can't be used without a person's own words."""

    def __init__(self, style: Style, name: str) -> None:
        super().__init__(WORDS_NEEDED.using(name=style.name, input=name))
        self.style = style


def misfit(catalog: Catalog, style: Style) -> Message | None:
    """Return why the style can't be used with the catalogue as it is now, or None if it can."""
    tool = catalog.tools.get(style.tool)
    if tool is None:
        return TOOL_GONE.using(name=style.name)
    known = {one.name for one in tool.inputs}
    unknown = next((name for name in style.inputs if name not in known), None)
    if unknown is not None:
        return NO_INPUT.using(name=style.name, tool=tool.title, input=unknown)
    return None


def tool_of(catalog: Catalog, style: Style) -> Tool:
    """Return the style's tool. Raises `Refused` if the catalogue lacks what the style needs."""
    if why := misfit(catalog, style):
        raise Refused(why)
    return catalog.get(style.tool)


def ensure_for(catalog: Catalog, style: Style, tool: Tool) -> None:
    """Raise `Refused` as `tool_of` does, or if the style is for another tool."""
    own = tool_of(catalog, style)
    if own.slug != tool.slug:
        raise Refused(OTHER_TOOL.using(name=style.name, tool=own.title, slug=own.slug))


def inputs_of(style: Style, tool: Tool, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the style's inputs with those that are given in their place, and the given words in its prompt.

    Raises `WordsNeeded` if it needs words and there are none.
    """
    named = {name: value for name, value in given.items() if value and value.strip()}
    inputs = {**style.inputs, **named}
    prompt = tool.prompt
    if prompt is None:
        return inputs
    template, words = style.inputs.get(prompt.name), named.get(prompt.name)
    if wants_words(template) and words is None:
        raise WordsNeeded(style, prompt.name)
    whole = with_words(template, words)
    return {**inputs, prompt.name: whole} if whole is not None else inputs
