"""Styles: a tool with inputs and a prompt, saved under a name by a member, or for a whole server."""

import secrets
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import String, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, metadata, put
from bot.catalog import Catalog, Tool
from bot.errors import NotAllowed, Refused
from bot.features.photo_rules import MappedEmoji, Preset, preset_for
from bot.features.words import ensure_words_allowed
from bot.languages import Message, lazy, nlazy
from bot.visible_text import visible, without_invisible

STYLE_WORDS = "{text}"  # in a style's prompt: replaced by the member's own words
OF_SERVER = 0  # in the place of a member's id
MAX_STYLES = 50  # of a member in a server, and of a server
MAX_STYLE_ROLES = 20  # that may use one of a server's styles
MAX_STYLE_NAME_CHARACTERS = 50

UNKNOWN = lazy("There's no style “{name}” here. `/styles` shows those that you can use. Nothing was charged.")
STYLE_GONE = lazy("That style has been removed. `/styles` shows those that you can use. Nothing was charged.")
NOT_YOURS = lazy("That style isn't yours. Nothing was changed.")


class Style(Base, kw_only=True):
    """A style. It never changes but for its roles, and for what is erased with a member's data.

    `user_id` is whose it is, `made_by` who added it to the server. `key` is the name as it is compared. The
    result of the job `job_id` shows what it makes. Without `roles`, everyone may use a server's style.
    """

    __tablename__ = "styles"
    __table_args__ = (UniqueConstraint("guild_id", "user_id", "key"),)

    id: Mapped[str] = mapped_column(
        String(16), primary_key=True, default_factory=lambda: secrets.token_hex(8)
    )
    guild_id: Mapped[int]
    user_id: Mapped[int]
    key: Mapped[str] = mapped_column(init=False, repr=False)
    name: Mapped[str]
    tool: Mapped[str]
    inputs: Mapped[dict[str, str]] = mapped_column(repr=False)
    roles: Mapped[list[int]] = mapped_column(default_factory=list[int])  # in order
    made_by: Mapped[int | None] = mapped_column(default=None)
    job_id: Mapped[str | None] = mapped_column(String(16), default=None)

    def __post_init__(self) -> None:
        self.key = style_key(self.name)

    @property
    def of_server(self) -> bool:
        return self.user_id == OF_SERVER

    def usable_by(self, user_id: int, roles: frozenset[int]) -> bool:
        """Return whether a member with these roles may use it."""
        return (
            (not self.roles or not roles.isdisjoint(self.roles))
            if self.of_server
            else self.user_id == user_id
        )


class MemberDefaults(Base):
    """The inputs of a tool that a member prefers."""

    __tablename__ = "member_defaults"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tool: Mapped[str] = mapped_column(primary_key=True)
    inputs: Mapped[dict[str, str]] = mapped_column(repr=False)


class WordsNeeded(Refused):
    """The style can't be used without a person's own words."""

    def __init__(self, style: Style, name: str) -> None:
        super().__init__(
            lazy(
                "The style “{name}” needs your own words: type them as `{input}`. Nothing was charged.",
                name=style.name,
                input=name,
            )
        )
        self.style = style


def usable(
    session: Session, guild_id: int, user_id: int, roles: frozenset[int], *, manages: bool = False
) -> list[Style]:
    """Return the styles that the member may use, and with `manages` all of the server.

    Their own come first; both are ordered by name.
    """
    return [
        one
        for one in of(session, guild_id, user_id, OF_SERVER)
        if one.usable_by(user_id, roles) or (manages and one.of_server)
    ]


def get(
    session: Session,
    style_id: str,
    guild_id: int,
    user_id: int,
    roles: frozenset[int],
    *,
    manages: bool = False,
) -> Style:
    """Return the style. Raises `Refused` if it is gone, or if the member may not use it.

    With `manages`, all styles of the server are shown.
    """
    style = _in_server(session, guild_id, style_id)
    if not (style.usable_by(user_id, roles) or (manages and style.of_server)):
        if not style.of_server:
            raise Refused(STYLE_GONE)
        raise NotAllowed(
            lazy(
                "That style is only for {roles}. An admin can change this with `/styles`.",
                roles=" ".join(f"<@&{one}>" for one in style.roles),
            )
        )
    return style


def named(
    session: Session,
    guild_id: int,
    user_id: int,
    roles: frozenset[int],
    name: str,
    tool: str | None = None,
    *,
    manages: bool = False,
) -> Style | None:
    """Return the member's own style of that name, else the server's, or None; with `tool`, of that tool
    rather than of another."""
    theirs = usable(session, guild_id, user_id, roles, manages=manages)
    found = [one for one in theirs if one.key == style_key(name)]
    return next((one for one in found if one.tool == tool), found[0] if found else None)


def save(
    session: Session,
    guild_id: int,
    user_id: int,
    name: str,
    tool: Tool,
    inputs: Mapping[str, str],
    *,
    for_server: bool,
    job_id: str | None = None,
    roles: Collection[int] = (),
) -> Style:
    """Save a style of the member's own, or for the server, for these roles alone if there are any.

    Raises `Refused` if its name, its words or the number of styles don't allow it.
    """
    name = " ".join(visible(name).split())  # empty if no one could read it
    if not style_key(name):
        raise Refused(lazy("A style needs a name that can be read. Nothing was saved."))
    inputs = {key: value for key, value in inputs.items() if tool.input(key) is not None and value.strip()}
    for one in tool.inputs:
        if (count := len(inputs.get(one.name, ""))) > one.max_length:
            raise Refused(
                lazy(
                    "`{name}` can have at most {most} characters. Yours has {count}. Nothing was saved.",
                    name=one.name,
                    most=one.max_length,
                    count=count,
                )
            )
    ensure_words_allowed(session, guild_id, [name, *tool.chosen(inputs).values()])
    owner, made_by = (OF_SERVER, user_id) if for_server else (user_id, None)
    theirs = of(session, guild_id, owner)
    if there := next((one for one in theirs if one.key == style_key(name)), None):
        raise Refused(
            (
                lazy(
                    "This server already has a style “{name}”. Choose another name, or remove that one "
                    "with `/styles`. Nothing was saved."
                )
                if for_server
                else lazy(
                    "You already have a style “{name}”. Choose another name, or remove that one. Nothing "
                    "was saved."
                )
            ).using(name=there.name)
        )
    if len(theirs) >= MAX_STYLES:
        raise Refused(
            nlazy(
                "This server has {count} style, the limit. Remove it with `/styles` first. Nothing was "
                "saved.",
                "This server has {count} styles, the limit. Remove one with `/styles` first. Nothing was "
                "saved.",
                MAX_STYLES,
            )
            if for_server
            else nlazy(
                "You have {count} style here, the limit. Remove it with `/styles` first. Nothing was saved.",
                "You have {count} styles here, the limit. Remove one with `/styles` first. Nothing was "
                "saved.",
                MAX_STYLES,
            )
        )
    style = Style(
        guild_id=guild_id,
        user_id=owner,
        name=name,
        tool=tool.slug,
        inputs=inputs,
        roles=sorted({*roles} - {guild_id}),
        made_by=made_by,
        job_id=job_id,
    )
    session.add(style)
    return style


def remove(session: Session, style_id: str, guild_id: int, user_id: int, *, manages: bool = False) -> Style:
    """Remove a member's own style, or with `manages` one of the server, also from emoji.

    Raises `Refused` if it is gone, or isn't theirs.
    """
    style = _in_server(session, guild_id, style_id)
    if style.user_id != user_id and not (style.of_server and manages):
        raise Refused(NOT_YOURS)
    session.execute(delete(MappedEmoji).filter_by(guild_id=guild_id, style_id=style.id))
    session.delete(style)
    return style


def limit_to_roles(session: Session, guild_id: int, style_id: str, roles: Collection[int]) -> Style:
    """Let only members with these roles use a server's style; without any, everyone."""
    style = _in_server(session, guild_id, style_id)
    if not style.of_server:
        raise Refused(NOT_YOURS)
    style.roles = sorted({*roles} - {guild_id})
    return style


def forget_member(session: Session, user_id: int, guild_id: int | None = None) -> None:
    """Delete the member's own styles, and what servers' styles have of them; in one server or in all."""
    jobs = metadata.tables["jobs"]
    here: Any = True if guild_id is None else Style.guild_id == guild_id
    session.execute(delete(Style).where(Style.user_id == user_id, Style.user_id != OF_SERVER, here))
    session.execute(update(Style).where(Style.made_by == user_id, here).values(made_by=None))
    results = Style.job_id.in_(select(jobs.c.id).where(jobs.c.user_id == user_id))
    session.execute(update(Style).where(results, here).values(job_id=None))


def preferred(
    session: Session, catalog: Catalog, guild_ids: Collection[int], user_ids: Collection[int]
) -> dict[tuple[int, int, str], dict[str, str]]:
    """Return the inputs of members in servers, by server, member and tool."""
    there = MemberDefaults.guild_id.in_(guild_ids) & MemberDefaults.user_id.in_(user_ids)
    return {
        (row.guild_id, row.user_id, row.tool): _preferable(catalog.tools.get(row.tool), row.inputs)
        for row in session.scalars(select(MemberDefaults).where(there))
    }


def default_inputs(session: Session, guild_id: int, user_id: int, tool: Tool) -> dict[str, str]:
    """Return the member's inputs for the tool that it still takes."""
    row = session.get(MemberDefaults, (guild_id, user_id, tool.slug))
    return {} if row is None else _preferable(tool, row.inputs)


def set_defaults(
    session: Session, guild_id: int, user_id: int, tool: Tool, inputs: Mapping[str, str]
) -> None:
    """Set the member's inputs for the tool. Without any, those that are set are removed."""
    key = {"guild_id": guild_id, "user_id": user_id, "tool": tool.slug}
    if kept := _preferable(tool, inputs):
        put(session, MemberDefaults, key, inputs=kept)
    else:
        session.execute(delete(MemberDefaults).filter_by(**key))


def style_key(name: str) -> str:
    """Return the name as it is compared: two styles of one owner differ in it."""
    composed = unicodedata.normalize("NFKC", without_invisible(name))
    return " ".join(unicodedata.normalize("NFKC", composed.casefold()).split())


def wants_words(prompt: str | None) -> bool:
    """Return whether a style with that prompt can't be used without words."""
    return prompt is not None and STYLE_WORDS in prompt


def misfit(catalog: Catalog, style: Style) -> Message | None:
    """Return why the style can't be used with the catalogue as it is now, or None if it can."""
    tool = catalog.tools.get(style.tool)
    if tool is None:
        return lazy(
            "The style “{name}” is for a tool that isn't here any more. Nothing was charged.", name=style.name
        )
    unknown = next((name for name in style.inputs if tool.input(name) is None), None)
    if unknown is not None:
        return lazy(
            "The style “{name}” no longer fits: {tool} doesn't take `{input}` any more. Remove it and "
            "save a new "
            "one. Nothing was charged.",
            name=style.name,
            tool=tool.lazy_title,
            input=unknown,
        )
    return None


def tool_of(catalog: Catalog, style: Style, wanted: Tool | None = None) -> Tool:
    """Return the style's tool. Raises `Refused` if the catalogue lacks what the style needs, or if it is for
    another tool than the wanted one."""
    if why := misfit(catalog, style):
        raise Refused(why)
    tool = catalog.get(style.tool)
    if wanted is not None and tool.slug != wanted.slug:
        raise Refused(
            lazy(
                "The style “{name}” is for {tool}. Use it with `/{slug}`. Nothing was charged.",
                name=style.name,
                tool=tool.lazy_title,
                slug=tool.slug,
            )
        )
    return tool


def preset_of(catalog: Catalog, style: Style) -> Preset:
    """Return what an emoji runs that is mapped to a server's style. Raises `Refused` as `preset_for` does."""
    prompt = tool_of(catalog, style).prompt
    if prompt is not None and wants_words(style.inputs.get(prompt.name)):
        raise Refused(
            lazy(
                "The style “{style}” needs a member's own words, so an emoji can't run it. Nothing was "
                "changed.",
                style=style.name,
            )
        )
    return replace(preset_for(catalog, style.tool, style.inputs), style_id=style.id)


def inputs_of(style: Style, tool: Tool, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the style's inputs with those that are given in their place, and the given words in its prompt,
    or at its end if it has no place for them.

    Raises `WordsNeeded` if it needs words and there are none.
    """
    filled = {name: value for name, value in given.items() if value and value.strip()}
    inputs, prompt = {**style.inputs, **filled}, tool.prompt
    if prompt is None:
        return inputs
    template, words = style.inputs.get(prompt.name), filled.get(prompt.name)
    if wants_words(template) and words is None:
        raise WordsNeeded(style, prompt.name)
    if template and words:
        inputs[prompt.name] = (
            template.replace(STYLE_WORDS, words) if wants_words(template) else f"{template}, {words}"
        )
    return inputs


def made_with(tool: Tool, inputs: Mapping[str, str]) -> Callable[[Mapping[str, str]], bool]:
    """Return what says of a job's inputs whether they have all of a style's, and in their prompt the
    style's, with words or without."""
    wanted = {one.name: one.meant(inputs[one.name].strip()) for one in tool.inputs if one.name in inputs}
    prompt = "" if tool.prompt is None else tool.prompt.name
    before, *after = wanted.pop(prompt, STYLE_WORDS).split(STYLE_WORDS)

    def fits(given: Mapping[str, str]) -> bool:
        asked = given.get(prompt, "")
        if after:
            has_prompt = asked.startswith(before) and asked[len(before) :].endswith(after[-1])
        else:
            has_prompt = f"{asked}, ".startswith(f"{before}, ")
        return has_prompt and wanted.items() <= given.items()

    return fits


def of(session: Session, guild_id: int, *user_ids: int) -> list[Style]:
    """Return the styles of these members, and with `OF_SERVER` the server's; each one's by name."""
    return list(
        session.scalars(
            select(Style)
            .where(Style.guild_id == guild_id, Style.user_id.in_(user_ids))
            .order_by(Style.user_id.desc(), Style.key)
        )
    )


def _in_server(session: Session, guild_id: int, style_id: str) -> Style:
    """Return a style of the server or a member there. Raises `Refused` if it is gone."""
    style = session.get(Style, style_id)
    if style is None or style.guild_id != guild_id:
        raise Refused(STYLE_GONE)
    return style


def _preferable(tool: Tool | None, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return those of the inputs that may be preferred, in the tool's order: none for several lines."""
    return {
        one.name: inputs[one.name]
        for one in (tool.inputs if tool is not None else ())
        if not one.long and 0 < len(inputs.get(one.name, "")) <= one.max_length
    }
