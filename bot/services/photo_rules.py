"""Reactions and photo channels, cached in memory, so that other reactions cost no query."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.catalog import Catalog, SourceRule
from bot.clock import Clock
from bot.domain.photo_rules import (
    MAX_EMOJI,
    MAX_PHOTO_CHANNELS,
    MAX_PHOTOS_AT_ONCE,
    Emoji,
    PhotoChannel,
    PhotoChannelKind,
    PhotoRules,
    Preset,
    in_any_skin,
)
from bot.errors import Refused
from bot.features.styles import Style, tool_of, wants_words
from bot.languages import and_list, lazy, paragraph
from bot.services.service import ToolService
from bot.storage import Storage, Transaction

NO_WORDS = lazy(
    "The style “{style}” needs a member's own words, so an emoji can't run it. Nothing was changed."
)
RUNS_NOTHING = lazy(
    "That emoji doesn't run a tool here. `/studii reactions show` lists those that do. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class Tap:
    """An emoji and its preset in a server."""

    emoji: Emoji
    preset: Preset


class PhotoRuleService(ToolService):
    """Reactions and photo channels of all servers.

    All rules are in memory from `load` on. Each change is made here, so that memory and database agree.
    Servers without rules take no memory, and the rules of a server are bounded.
    """

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock) -> None:
        super().__init__(storage, catalog, clock)
        self._rules: dict[int, PhotoRules] = {}
        self._taps: dict[int, Mapping[str, Tap]] = {}
        self._defaults = {tap.emoji.key: tap for tap in _defaults(catalog)}

    async def load(self) -> None:
        """Read the rules of all servers. Before that, everything is off."""
        async with self._storage.read() as transaction:
            rules = await transaction.photo_rules.all()
        for one in rules.values():
            self._keep(one)

    async def reread_emoji(self, guild_id: int) -> None:
        """Read the rules of a server that added the bot again."""
        async with self._storage.read() as transaction:
            rules = await transaction.photo_rules.get(guild_id)
        self._keep(rules)

    def rules(self, guild_id: int) -> PhotoRules:
        """Return the server's rules, without a query."""
        return self._rules.get(guild_id) or PhotoRules(guild_id)

    def tap(self, guild_id: int, emoji_key: str) -> Tap | None:
        """Return the preset of the emoji in the server, or None, without a query."""
        taps = self._taps.get(guild_id)
        return None if taps is None else taps.get(emoji_key) or taps.get(in_any_skin(emoji_key))

    def taps(self, guild_id: int) -> tuple[Tap, ...]:
        """Return all emoji with presets in the server, the catalogue's first."""
        taps = self._taps.get(guild_id)
        return tuple((self._defaults if taps is None else taps).values())

    def preset(self, tool: str, inputs: Mapping[str, str]) -> Preset:
        """Return the tool, by slug or title, with these inputs.

        Raises `Refused` if there is none, or it cannot run on a photo with nothing else.
        """
        known = self._catalog.named(tool)
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
            set_it = lazy("Set it under `inputs`. Nothing was changed.")
            raise Refused(paragraph(str(lacking), set_it)) from lacking
        return Preset(known.slug, dict(inputs))

    def preset_of(self, style: Style) -> Preset:
        """Return what an emoji runs that is mapped to a server's style. Raises `Refused` as `preset` does."""
        prompt = tool_of(self._catalog, style).prompt
        if prompt is not None and wants_words(style.inputs.get(prompt.name)):
            raise Refused(NO_WORDS.using(style=style.name))
        return replace(self.preset(style.tool, style.inputs), style_id=style.id)

    async def turn_reactions(self, guild_id: int, channel_id: int | None, *, on: bool) -> PhotoRules:
        """Turn tools by reaction on or off in a channel, or in the whole server if it is None."""
        async with self._changing() as transaction:
            if on:
                rules = self.rules(guild_id)
                if not (rules.everywhere if channel_id is None else channel_id in rules.reaction_channels):
                    await _ensure_room_for_channel(transaction, guild_id)
                await transaction.photo_rules.turn_on(guild_id, channel_id)
            else:
                await transaction.photo_rules.turn_off(guild_id, channel_id)
            rules = await transaction.photo_rules.get(guild_id)
        return self._keep(rules)

    async def map_emoji(self, guild_id: int, emoji: Emoji, preset: Preset | None) -> PhotoRules:
        """Assign the emoji a tool or setting, or nothing if it is None. Raises `Refused` if it had none."""
        if preset is None and not self._is_mapped(guild_id, emoji):
            raise Refused(RUNS_NOTHING)
        async with self._changing() as transaction:
            if emoji.key not in self.rules(guild_id).emoji:
                await _ensure_room_for_emoji(transaction, guild_id)
            if preset is None and emoji.key not in self._defaults:
                await transaction.photo_rules.forget(guild_id, emoji)
            else:
                await transaction.photo_rules.map(guild_id, emoji, preset)
            rules = await transaction.photo_rules.get(guild_id)
        return self._keep(rules)

    def _is_mapped(self, guild_id: int, emoji: Emoji) -> bool:
        """Return whether the emoji has a preset, even one that the catalogue doesn't know any more."""
        own = self.rules(guild_id).emoji.get(emoji.key)
        return emoji.key in self._defaults if own is None else own[1] is not None

    async def set_channel(
        self, guild_id: int, channel_id: int, kind: PhotoChannelKind, preset: Preset | None, most: int
    ) -> PhotoRules:
        """Make it a photo channel. `most` bounds the photos of one message that an Auto channel runs."""
        channel = PhotoChannel(channel_id, kind, preset, max(1, min(most, MAX_PHOTOS_AT_ONCE)))
        async with self._changing() as transaction:
            if channel_id not in self.rules(guild_id).channels:
                await _ensure_room_for_channel(transaction, guild_id)
            await transaction.photo_rules.set_channel(guild_id, channel)
            rules = await transaction.photo_rules.get(guild_id)
        return self._keep(rules)

    async def clear_channel(self, guild_id: int, channel_id: int) -> PhotoRules:
        """Make it an ordinary channel again."""
        async with self._changing() as transaction:
            await transaction.photo_rules.clear_channel(guild_id, channel_id)
            rules = await transaction.photo_rules.get(guild_id)
        return self._keep(rules)

    async def forget_place(self, guild_id: int, channel_id: int) -> None:
        """Delete the rules of a channel, or thread, that is gone. Where there are none, no query is made."""
        rules = self.rules(guild_id)
        if channel_id not in rules.reaction_channels and channel_id not in rules.channels:
            return
        async with self._storage.write() as transaction:
            await transaction.photo_rules.turn_off(guild_id, channel_id)
            await transaction.photo_rules.clear_channel(guild_id, channel_id)
            rules = await transaction.photo_rules.get(guild_id)
        self._keep(rules)

    def _keep(self, rules: PhotoRules) -> PhotoRules:
        guild_id = rules.guild_id
        if rules == PhotoRules(guild_id):
            self._rules.pop(guild_id, None)
            self._taps.pop(guild_id, None)
            return rules
        self._rules[guild_id] = rules
        taps = dict(self._defaults)
        for key, (emoji, preset) in rules.emoji.items():
            # A tool that the catalogue has lost since, or that needs more by now, is passed over.
            if preset is not None and _runs(self._catalog, preset):
                taps[key] = Tap(emoji, preset)
            else:
                taps.pop(key, None)
        self._taps[guild_id] = taps
        return rules


def _runs(catalog: Catalog, preset: Preset) -> bool:
    tool = catalog.tools.get(preset.tool)
    if tool is None or tool.source is SourceRule.NONE:
        return False
    try:
        tool.prepare(preset.inputs, has_source=True)
    except Refused:
        return False
    return True


def _defaults(catalog: Catalog) -> list[Tap]:
    presets = [(tool, Preset(tool.slug)) for tool in catalog.tools.values()]
    return [Tap(Emoji(tool.emoji), preset) for tool, preset in presets if _runs(catalog, preset)]


async def _ensure_room_for_emoji(transaction: Transaction, guild_id: int) -> None:
    emoji, _ = await transaction.photo_rules.count(guild_id)
    if emoji >= MAX_EMOJI:
        raise Refused(lazy("The limit is {most} emoji. Remove one first.", most=MAX_EMOJI))


async def _ensure_room_for_channel(transaction: Transaction, guild_id: int) -> None:
    _, channels = await transaction.photo_rules.count(guild_id)
    if channels >= MAX_PHOTO_CHANNELS:
        raise Refused(
            lazy("The limit is {most} photo channels. Turn one off first.", most=MAX_PHOTO_CHANNELS)
        )
