"""The commands that turn taps and photo channels on and off: /studii reactions and /studii photos."""

import discord
from discord import app_commands

from bot.catalog import Catalog, SourceRule
from bot.errors import Refused
from bot.features import photo_rules, styles
from bot.features.photo_rules import MAX_PHOTOS_AT_ONCE, PhotoChannelKind, preset_for
from bot.jobs.accept import why_closed
from bot.languages import N_, gettext as _, lazy
from bot.services import Services
from bot.ui.admin.photo_rules import photos_panel, reactions_panel
from bot.ui.admin.photo_warnings import photo_trouble, still_on, still_served
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.first_answer import read_for_suggestions
from bot.ui.kit.layout import lines
from bot.ui.kit.responses import answer
from bot.ui.reading.emoji import missing_words, parse_emoji
from bot.ui.reading.inputs import inputs_from
from bot.ui.reading.permissions import server_of
from bot.ui.styles.choosing import style_choices, style_of_server
from cogs.studii.group import Choices, choices, tool_suggestions

Place = (
    discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
)
TOOL_OR_STYLE = lazy("Name either a `tool`, with its `inputs`, or a `style`. Nothing was changed.")
NO_PLACE = lazy("This only works in a channel. Name one under `channel`.")


class _ReactionsGroup(app_commands.Group):
    def __init__(self, name: str, description: str, services: Services, catalog: Catalog) -> None:
        super().__init__(name=name, description=description)
        self._services = services
        self._photos = services.photo_rules
        self._catalog = catalog

    async def suggest_tools(self, _: discord.Interaction, typed: str) -> Choices:
        """Suggest the tools that take a photo."""
        tools = [tool for tool in self._catalog.tools.values() if tool.source is not SourceRule.NONE]
        return tool_suggestions(tools, typed)

    async def _in_the_way(self, interaction: discord.Interaction, guild_id: int) -> str:
        if not self._services.photo_rules.rules(guild_id).are_on:
            return ""
        closed = await self._services.db.read(why_closed, guild_id)
        trouble = await photo_trouble(self._services, interaction.guild, guild_id, ToolNames(self._catalog))
        return lines(f"⚠️ {closed}" if closed else "", trouble)


class ReactionCommands(_ReactionsGroup):
    """/studii reactions: where tapping an emoji under a photo runs a tool, and which emoji runs which."""

    @app_commands.command(description=N_("Show where reactions run tools, and which tool each emoji runs"))
    async def show(self, interaction: discord.Interaction) -> None:
        await self._answer(interaction, _("Reactions"))

    @app_commands.command(
        name="on", description=N_("Let members run tools by tapping an emoji under a photo")
    )
    @app_commands.describe(channel=N_("Only in this channel; leave out for the whole server"))
    async def turn_on(self, interaction: discord.Interaction, channel: Place | None = None) -> None:
        await self._turn(interaction, channel, on=True)

    @app_commands.command(name="off", description=N_("Turn reactions off"))
    @app_commands.describe(channel=N_("Only in this channel; leave out to turn them off everywhere"))
    async def turn_off(self, interaction: discord.Interaction, channel: Place | None = None) -> None:
        await self._turn(interaction, channel, on=False)

    @app_commands.command(name="map", description=N_("Choose which tool or which style an emoji runs"))
    @app_commands.describe(
        emoji=N_("An emoji, also one of this server's own"),
        tool=N_("The tool to run"),
        inputs=N_("Inputs to set in advance, such as: style=rustic, room=bedroom"),
        style=N_("This server's style to run, in place of a tool and inputs"),
    )
    async def map_emoji(
        self,
        interaction: discord.Interaction,
        emoji: str,
        tool: str | None = None,
        inputs: str | None = None,
        style: str | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        if (tool is None) == (style is None) or (style is not None and inputs is not None):
            raise Refused(TOOL_OR_STYLE)
        if style is not None:
            preset = styles.preset_of(self._catalog, await style_of_server(interaction, style))
        else:
            preset = preset_for(self._catalog, tool or "", inputs_from(inputs))
        mapped = self._catalog, guild_id, parse_emoji(emoji), preset
        await self._photos.change(photo_rules.map_emoji, *mapped)
        await self._answer(interaction, _("Emoji set"))

    @app_commands.command(name="remove", description=N_("Remove an emoji"))
    @app_commands.describe(emoji=N_("The emoji"))
    async def remove(self, interaction: discord.Interaction, emoji: str) -> None:
        guild_id = server_of(interaction)
        mapped = self._catalog, guild_id, parse_emoji(emoji), None
        await self._photos.change(photo_rules.map_emoji, *mapped)
        await self._answer(interaction, _("Emoji removed"))

    map_emoji.autocomplete("tool")(_ReactionsGroup.suggest_tools)

    @map_emoji.autocomplete("style")
    async def _styles(self, interaction: discord.Interaction, typed: str) -> Choices:
        reading = self._services.db.read(styles.of_server, server_of(interaction))
        return choices(style_choices(await read_for_suggestions(interaction, reading), typed))

    async def _turn(self, interaction: discord.Interaction, channel: Place | None, *, on: bool) -> None:
        guild_id = server_of(interaction)
        place = channel.id if channel else None
        rules = await self._photos.change(photo_rules.turn_reactions, guild_id, place, on=on)
        still = "" if on else still_on(rules, channel)
        title = _reactions_title(channel, on=on, still=bool(still))
        await self._answer(interaction, title, still)

    async def _answer(self, interaction: discord.Interaction, title: str, still: str = "") -> None:
        guild_id, sees = server_of(interaction), interaction.client.intents.message_content
        rules, taps = self._photos.rules(guild_id), self._photos.taps(guild_id)
        gone = await missing_words(interaction.guild, (tap.emoji for tap in taps))
        in_the_way = lines(still, await self._in_the_way(interaction, guild_id), gone)
        of_server: list[styles.Style] = []
        if any(tap.preset.style_id for tap in taps):
            of_server = await self._services.db.read(styles.of_server, guild_id)
        names = {one.id: one.name for one in of_server}
        panel = reactions_panel(
            title, rules, taps, self._catalog, names, sees_photos=sees, in_the_way=in_the_way
        )
        await answer(interaction, panel)


class PhotoCommands(_ReactionsGroup):
    """/studii photos: what the bot does automatically with the photos of a channel."""

    @app_commands.command(description=N_("Show the photo channels, and what happens in each"))
    async def show(self, interaction: discord.Interaction) -> None:
        await self._answer(interaction, _("Photo channels"))

    @app_commands.command(description=N_("Put the tools' emoji under each photo in a channel, ready to tap"))
    @app_commands.describe(channel=N_("The channel; leave out for this one"))
    async def offer(self, interaction: discord.Interaction, channel: Place | None = None) -> None:
        guild_id = server_of(interaction)
        place = _place(interaction, channel)
        await self._photos.change(photo_rules.set_channel, guild_id, place, PhotoChannelKind.OFFER)
        title = _("Tools are offered under photos in {channel}", channel=f"<#{place}>")
        await self._answer(interaction, title)

    @app_commands.command(description=N_("Run a tool on each photo in a channel automatically"))
    @app_commands.describe(
        tool=N_("The tool to run"),
        inputs=N_("Inputs to set in advance, such as: style=rustic, room=bedroom"),
        most=N_("How many photos of a message to run; leave out for 1"),
        channel=N_("The channel; leave out for this one"),
    )
    async def auto(
        self,
        interaction: discord.Interaction,
        tool: str,
        inputs: str | None = None,
        most: app_commands.Range[int, 1, MAX_PHOTOS_AT_ONCE] = 1,
        channel: Place | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        preset = preset_for(self._catalog, tool, inputs_from(inputs))
        place = _place(interaction, channel)
        automatic = guild_id, place, PhotoChannelKind.AUTO, preset, most
        await self._photos.change(photo_rules.set_channel, *automatic)
        title = _("Photo automation is on in {channel}", channel=f"<#{place}>")
        await self._answer(interaction, title)

    @app_commands.command(name="off", description=N_("Turn off photo automation in a channel"))
    @app_commands.describe(channel=N_("The channel; leave out for this one"))
    async def turn_off(self, interaction: discord.Interaction, channel: Place | None = None) -> None:
        guild_id = server_of(interaction)
        place = _place(interaction, channel)
        rules = await self._photos.change(photo_rules.clear_channel, guild_id, place)
        still = still_served(rules, channel or interaction.channel)
        if still:
            title = _("Photo automation is still on in {channel}", channel=f"<#{place}>")
        else:
            title = _("Photo automation is off in {channel}", channel=f"<#{place}>")
        await self._answer(interaction, title, still)

    auto.autocomplete("tool")(_ReactionsGroup.suggest_tools)

    async def _answer(self, interaction: discord.Interaction, title: str, still: str = "") -> None:
        guild_id, sees = server_of(interaction), interaction.client.intents.message_content
        rules, taps = self._photos.rules(guild_id), self._photos.taps(guild_id)
        in_the_way = lines(still, await self._in_the_way(interaction, guild_id))
        panel = photos_panel(title, rules, taps, self._catalog, sees_photos=sees, in_the_way=in_the_way)
        await answer(interaction, panel)


def _reactions_title(channel: Place | None, *, on: bool, still: bool) -> str:
    """Say whether reactions are on, in the channel or in the whole server."""
    if channel is None:
        return _("Reactions are on") if on else _("Reactions are off")
    there = f"<#{channel.id}>"
    if still:
        return _("Reactions are still on in {channel}", channel=there)
    if on:
        return _("Reactions are on in {channel}", channel=there)
    return _("Reactions are off in {channel}", channel=there)


def _place(interaction: discord.Interaction, channel: Place | None) -> int:
    place = channel.id if channel else interaction.channel_id
    if place is None:
        raise Refused(NO_PLACE)
    return place
