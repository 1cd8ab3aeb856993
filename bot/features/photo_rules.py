"""Servers' rules for reactions and photo channels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Integer, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, Choice, put
from bot.catalog import Catalog, SourceRule
from bot.db import Database
from bot.errors import Refused
from bot.languages import and_list, lazy, paragraph

MAX_EMOJI = 60  # mapped or removed in a server
MAX_PHOTO_CHANNELS = 200  # with rules of their own in a server
MAX_OFFERED_EMOJI = 10  # emoji under one photo; Discord takes 20
MAX_PHOTOS_AT_ONCE = 10  # photos of one message that an Auto channel runs
WHOLE_SERVER = 0  # in the place of a channel's id
RUNS_NOTHING = lazy("That emoji doesn't run a tool here any more. Nothing was changed.")


class PhotoChannelKind(StrEnum):
    """The automation of a channel: it determines what the bot does with photos posted there."""

    OFFER = "offer"  # adds the tools' emoji as reactions
    AUTO = "auto"  # runs one tool on them


@dataclass(frozen=True, slots=True)
class Preset:
    """A tool with preset inputs. The catalogue's defaults apply to the others.

    `style_id`: these are of that style of the server.
    """

    tool: str
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    style_id: str | None = None


@dataclass(frozen=True, slots=True)
class Emoji:
    """A Unicode emoji (`id` 0) or a server's own."""

    name: str
    id: int = 0
    animated: bool = False

    @property
    def key(self) -> str:
        """Return the emoji's id, or its name without a variation selector, which Discord may omit."""
        return str(self.id) if self.id else self.name.replace("\ufe0f", "")

    def __str__(self) -> str:
        return f"<{'a' if self.animated else ''}:{self.name}:{self.id}>" if self.id else self.name


class ReactionPlace(Base):
    """A channel in which a reaction starts a tool, or `WHOLE_SERVER`."""

    __tablename__ = "reaction_places"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class MappedEmoji(Base):
    """An emoji that an admin mapped, or (without a tool) removed. `emoji` is its key."""

    __tablename__ = "reaction_emoji"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    emoji: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    emoji_id: Mapped[int]
    animated: Mapped[bool]
    tool: Mapped[str | None]
    inputs: Mapped[dict[str, str]] = mapped_column(repr=False)
    style_id: Mapped[str | None] = mapped_column(String(16))

    @property
    def shown(self) -> Emoji:
        return Emoji(self.name, self.emoji_id, self.animated)

    @property
    def preset(self) -> Preset | None:
        return None if self.tool is None else Preset(self.tool, self.inputs, self.style_id)


class PhotoChannel(Base):
    """A channel whose photos the bot handles. `preset` and `most` are for Auto only."""

    __tablename__ = "photo_channels"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[PhotoChannelKind] = mapped_column(Choice(PhotoChannelKind))
    tool: Mapped[str | None]
    inputs: Mapped[dict[str, str]] = mapped_column(repr=False)
    most: Mapped[int] = mapped_column(Integer)  # photos of one message that are run

    @property
    def preset(self) -> Preset | None:
        return None if self.tool is None else Preset(self.tool, self.inputs)


@dataclass(slots=True)
class PhotoRules:
    """A server's rules. `emoji` are by `Emoji.key`, `channels` by their id."""

    guild_id: int
    reaction_places: set[int] = field(default_factory=set[int])  # where they are on, as in `ReactionPlace`
    emoji: dict[str, MappedEmoji] = field(default_factory=dict[str, MappedEmoji])
    channels: dict[int, PhotoChannel] = field(default_factory=dict[int, PhotoChannel])

    @property
    def are_on(self) -> bool:
        """Return whether reactions are on somewhere, or there is a photo channel."""
        return bool(self.reaction_places or self.channels)


def of(session: Session, guild_id: int) -> PhotoRules:
    """Return the server's rules. Without any, everything is off."""
    return all_rules(session, guild_id).get(guild_id) or PhotoRules(guild_id)


def all_rules(session: Session, guild_id: int | None = None) -> dict[int, PhotoRules]:
    """Return the rules of every server that has any, or (`guild_id`) of one, by its id."""
    made: dict[int, PhotoRules] = {}

    def rows(row: type[Any]) -> Iterable[Any]:
        query = select(row) if guild_id is None else select(row).where(row.guild_id == guild_id)
        for one in session.scalars(query):
            made.setdefault(one.guild_id, PhotoRules(one.guild_id))
            yield one

    for place in rows(ReactionPlace):
        made[place.guild_id].reaction_places.add(place.channel_id)
    for emoji in rows(MappedEmoji):
        made[emoji.guild_id].emoji[emoji.emoji] = emoji
    for channel in rows(PhotoChannel):
        made[channel.guild_id].channels[channel.channel_id] = channel
    return made


def turn_reactions(session: Session, guild_id: int, channel_id: int | None, *, on: bool) -> None:
    """Turn tools by reaction on or off in a channel, or (None) in the whole server: off is off everywhere."""
    if on:
        if session.get(ReactionPlace, (guild_id, channel_id or WHOLE_SERVER)) is None:
            _ensure_room_for_channel(session, guild_id)
            session.add(ReactionPlace(guild_id, channel_id or WHOLE_SERVER))
    else:
        off = delete(ReactionPlace).filter_by(guild_id=guild_id)
        session.execute(off if channel_id is None else off.filter_by(channel_id=channel_id))


def map_emoji(session: Session, catalog: Catalog, guild_id: int, emoji: Emoji, preset: Preset | None) -> None:
    """Assign the emoji a tool or setting, or nothing if it is None. Raises `Refused` for too many."""
    own, usual = session.get(MappedEmoji, (guild_id, emoji.key)), emoji.key in default_taps(catalog)
    if own is None and _count(session, guild_id, MappedEmoji) >= MAX_EMOJI:
        raise Refused(lazy("The limit is {most} emoji. Remove one first.", most=MAX_EMOJI))
    if preset is None and not usual:
        session.execute(delete(MappedEmoji).filter_by(guild_id=guild_id, emoji=emoji.key))
    else:
        put(
            session,
            MappedEmoji,
            {"guild_id": guild_id, "emoji": emoji.key},
            name=emoji.name,
            emoji_id=emoji.id,
            animated=emoji.animated,
            tool=None if preset is None else preset.tool,
            inputs={} if preset is None else dict(preset.inputs),
            style_id=None if preset is None else preset.style_id,
        )


def set_channel(
    session: Session,
    guild_id: int,
    channel_id: int,
    kind: PhotoChannelKind,
    preset: Preset | None = None,
    most: int = 1,
) -> None:
    """Make it a photo channel. `most` bounds the photos of one message that an Auto channel runs."""
    if session.get(PhotoChannel, (guild_id, channel_id)) is None:
        _ensure_room_for_channel(session, guild_id)
    put(
        session,
        PhotoChannel,
        {"guild_id": guild_id, "channel_id": channel_id},
        kind=kind,
        tool=None if preset is None else preset.tool,
        inputs={} if preset is None else dict(preset.inputs),
        most=most,
    )


def clear_channel(session: Session, guild_id: int, channel_id: int) -> None:
    """Make it an ordinary channel again."""
    session.execute(delete(PhotoChannel).filter_by(guild_id=guild_id, channel_id=channel_id))


def preset_for(catalog: Catalog, tool: str, inputs: Mapping[str, str]) -> Preset:
    """Return the tool, by slug or title, with these inputs.

    Raises `Refused` if there is none, or it cannot run on a photo with nothing else.
    """
    known = catalog.named(tool)
    names = [one.name for one in known.inputs]
    unknown = next((name for name in inputs if name not in names), None)
    if unknown is not None:
        listed = and_list([f"`{name}`" for name in names])
        raise Refused(
            paragraph(
                lazy("{tool} has no input “{input}”.", tool=known.title, input=unknown[:40]),
                lazy("Its inputs are {inputs}.", inputs=listed) if names else lazy("It has no inputs."),
                lazy("Nothing was changed."),
            )
        )
    if known.source is SourceRule.NONE:
        raise Refused(lazy("{tool} doesn't start from a photo. Nothing was changed.", tool=known.title))
    try:
        known.prepare(inputs, has_source=True)
    except Refused as lacking:
        raise Refused(
            paragraph(str(lacking), lazy("Set it under `inputs`. Nothing was changed."))
        ) from lacking
    return Preset(known.slug, dict(inputs))


@dataclass(frozen=True, slots=True)
class Tap:
    """An emoji and its preset in a server."""

    emoji: Emoji
    preset: Preset


Taps = Mapping[str, Tap]  # by `Emoji.key`


@cache
def default_taps(catalog: Catalog) -> Taps:
    """Return the tools that the catalogue's own emoji run, by `Emoji.key`."""
    taps = [Tap(Emoji(tool.emoji), Preset(tool.slug)) for tool in catalog.tools.values()]
    return {tap.emoji.key: tap for tap in taps if _runs(catalog, tap.preset)}


def taps_of(catalog: Catalog, rules: PhotoRules, keys: Iterable[str] | None = None) -> Taps:
    """Return the emoji of the server that run a tool, the catalogue's first, by `Emoji.key`; of `keys` alone
    if they are given."""
    taps, own = default_taps(catalog), rules.emoji
    found: dict[str, Tap] = {}
    for key in dict.fromkeys((*taps, *own)) if keys is None else keys:
        if key not in own:
            found |= {key: taps[key]} if key in taps else {}
        # A tool that the catalogue has lost since, or that needs more by now, is passed over.
        elif (preset := own[key].preset) is not None and _runs(catalog, preset):
            found[key] = Tap(own[key].shown, preset)
    return found


class KnownPhotoRules:
    """The rules of all servers, in memory from `load` on: a busy server has thousands of messages and
    reactions that must cost no query. Servers without rules take no memory, and the rules of a server are
    bounded.
    """

    def __init__(self, db: Database, catalog: Catalog) -> None:
        self._db, self._catalog = db, catalog
        self._rules: dict[int, PhotoRules] = {}

    async def load(self) -> None:
        """Read the rules of all servers. Before that, everything is off."""
        for rules in (await self._db.write(all_rules)).values():  # in order with what changes them
            self._keep(rules)

    async def reread(self, guild_id: int) -> None:
        """Read the rules of a server that were changed, or that added the bot again."""
        self._keep(await self._db.write(of, guild_id))

    async def forget_place(self, guild_id: int, channel_id: int) -> None:
        """Delete the rules of a channel, or thread, that is gone. Where there are none, no query is made."""
        rules = self.rules(guild_id)
        if channel_id in rules.reaction_places or channel_id in rules.channels:
            await self._db.write(turn_reactions, guild_id, channel_id, on=False)
            await self._db.write(clear_channel, guild_id, channel_id)
            await self.reread(guild_id)

    def rules(self, guild_id: int) -> PhotoRules:
        """Return the server's rules, without a query."""
        return self._rules.get(guild_id) or PhotoRules(guild_id)

    def tap(self, guild_id: int, emoji_key: str) -> Tap | None:
        """Return the preset of the emoji in the server, or None, without a query."""
        # As it is, and without a colour of skin
        keys = (
            (emoji_key, emoji_key.translate(dict.fromkeys(range(0x1F3FB, 0x1F400))))
            if guild_id in self._rules
            else ()
        )
        return next(iter(taps_of(self._catalog, self.rules(guild_id), keys).values()), None)

    def taps(self, guild_id: int) -> tuple[Tap, ...]:
        """Return all emoji with presets in the server, the catalogue's first."""
        return tuple(taps_of(self._catalog, self.rules(guild_id)).values())

    def _keep(self, rules: PhotoRules) -> None:
        self._rules[rules.guild_id] = rules
        if rules == PhotoRules(rules.guild_id):
            del self._rules[rules.guild_id]


def _runs(catalog: Catalog, preset: Preset) -> bool:
    tool = catalog.tools.get(preset.tool)
    return (
        tool is not None
        and tool.source is not SourceRule.NONE
        and all(preset.inputs.get(one.name) for one in tool.inputs if one.needed)
    )


def _count(session: Session, guild_id: int, *rows: type[Any]) -> int:
    return sum(
        session.scalars(select(func.count()).select_from(row).where(row.guild_id == guild_id)).one()
        for row in rows
    )


def _ensure_room_for_channel(session: Session, guild_id: int) -> None:
    if _count(session, guild_id, PhotoChannel, ReactionPlace) >= MAX_PHOTO_CHANNELS:
        raise Refused(
            lazy("The limit is {most} photo channels. Turn one off first.", most=MAX_PHOTO_CHANNELS)
        )
