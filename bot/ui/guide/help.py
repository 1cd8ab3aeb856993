"""`/help`: what a person can do here, by what they may do. A mention with nothing else gets it too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import discord
from discord import ui

from bot.catalog import Tool
from bot.credits.prices import ToolPrice, short_price
from bot.features.photo_rules import MAX_OFFERED_EMOJI, PhotoChannel, PhotoChannelKind, Tap
from bot.jobs.models import MemberContext
from bot.languages import gettext as _, lazy, or_list
from bot.servers import access
from bot.servers.access import ApprovalRules
from bot.services import Services
from bot.ui.guide.available_tools import (
    AvailableTools,
    available_for,
    hindrance_of,
    hindrance_words,
    left_out_words,
)
from bot.ui.jobs.forms.tool_picker import MAX_TOOL_BUTTONS, tool_rows
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import GOING, NEUTRAL, Panel, boxed, fitting, lines
from bot.ui.kit.responses import answer
from bot.ui.kit.text import named_value
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import channel_in, hindrance, missing_to_post, moderates_in, server_of

MAX_TOOL_CHARACTERS = 1800  # of the 4,000 that a message holds
MAX_NAMED_CHANNELS = 5  # of each kind
TITLE = lazy("What you can do here")
CANNOT_POST = lazy("I can't post results in this channel: {reason}.")
PRESS = lazy(
    "Press a button below, or type `/` and pick a tool. The form takes your photo and shows the price."
)
MENUS = (
    lazy("With a photo in the chat: right-click its message (on a phone: long press), then **Apps**."),
    lazy("Or mention me with a photo, with words, or both."),
)
YOURS = lazy(
    "`/jobs` shows your jobs, `/styles` your styles, `/credits` the credits left, `/tools` "
    "an example of each tool. `/privacy` decides whether others can use your photos, and "
    "`/forget-me` erases your data."
)
MODERATORS = lazy("**As a moderator** you can also cancel others' jobs, and delete their results.")
ADMINS = lazy(
    "**As an admin**: `/studii setup` shows what's missing, and `/studii panel` posts these "
    "buttons for everyone. `/studii budget`, `/studii allowance` and `/studii moderation` limit "
    "who can use what, and where."
)
# By whether moderators also look at results.
APPROVED_FIRST = {
    False: lazy("In this server a moderator approves your requests before they start."),
    True: lazy(
        "In this server a moderator approves your requests before they start, and looks at the results "
        "before they're posted."
    ),
}
APPROVED_TOOL = {
    False: lazy("A moderator approves requests for it before they start."),
    True: lazy(
        "A moderator approves requests for it before they start, and looks at the results before they're "
        "posted."
    ),
}
DECIDES = {
    False: lazy("You decide on requests in {channel}."),
    True: lazy("You decide on requests and results in {channel}; `/jobs` has results that weren't posted."),
}


@dataclass(frozen=True, slots=True)
class PhotoPlaces:
    """The places that the person sees where photos are enough to start a tool. `taps`: emoji work here."""

    taps: Sequence[Tap] = ()
    offers: Sequence[int] = ()  # channels where the bot puts emoji under photos
    autos: Sequence[PhotoChannel] = ()


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything that the answer depends on."""

    available: AvailableTools
    context: MemberContext
    places: PhotoPlaces
    approval: ApprovalRules
    decides: bool  # on requests that wait for approval

    def waits(self, tool: Tool) -> bool:
        """Return whether the person's requests for that tool wait for a moderator."""
        return self.approval.wants(tool.slug, self.context.roles, manages=self.context.manages)


async def guide_for(
    services: Services,
    client: discord.Client,
    guild_id: int,
    person: discord.abc.User,
    context: MemberContext,
) -> Guide:
    """Read what the person can do in the server, in the channel of the context."""
    available = await available_for(services, guild_id, person.id, context)
    places = (
        _places(services, client, guild_id, person, context) if available.denial is None else PhotoPlaces()
    )
    approval = await services.db.read(access.approvals, guild_id)
    decides = _decides(client.get_guild(guild_id), person, context, approval)
    return Guide(available, context, places, approval, decides)


def help_panel(guide: Guide, missing: list[str]) -> Panel:
    """Return the answer. `missing`: the permissions that the bot lacks to post results in the channel."""
    available, context = guide.available, guide.context
    cannot_post = f"⚠️ {CANNOT_POST.using(reason=hindrance(missing))}" if missing else ""
    usable = [one.tool for one in available.prices if available.allows(one.tool)]
    all_wait = bool(usable) and all(map(guide.waits, usable))
    results = guide.approval.wants_results
    decides = DECIDES[results].using(channel=f"<#{guide.approval.channel_id}>")
    tool_lines = [_tool_line(one, guide, all_wait=all_wait) for one in available.prices]
    return boxed(
        NEUTRAL if available.is_open and not missing else GOING,
        lines(f"### 👋 {TITLE}", cannot_post, hindrance_words(available)),
        "" if available.denial else lines(*fitting(tool_lines, MAX_TOOL_CHARACTERS, left_out_words)),
        f"🛂 {APPROVED_FIRST[results]}" if all_wait else "",
        lines(PRESS, *(f"- {one}" for one in (*MENUS, *_place_words(guide)))) if usable else "",
        YOURS,
        lines(
            MODERATORS if context.moderates else "",
            decides if guide.decides else "",
            ADMINS if context.manages else "",
        ),
        *tool_rows(usable[:MAX_TOOL_BUTTONS]),
    )


async def show_help(interaction: discord.Interaction) -> None:
    """Answer with what the person can do here. Raises `Refused` in a DM."""
    guild_id = server_of(interaction)
    services, context = host_of(interaction).services, member_context(interaction)
    guide = await guide_for(services, interaction.client, guild_id, interaction.user, context)
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    await answer(interaction, help_panel(guide, missing))


class HelpButton(LastingButton, template=r"studii:help"):
    """Answer like `/help`, for the person who pressed it."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label=_("Show help"), emoji="👋", custom_id="studii:help"))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await show_help(interaction)


def _tool_line(one: ToolPrice, guide: Guide, *, all_wait: bool) -> str:
    tool, hindrance = one.tool, hindrance_of(one, guide.available)
    if not hindrance and not all_wait and guide.waits(tool):
        hindrance = f"🛂 {APPROVED_TOOL[guide.approval.wants_results]}"
    named = named_value(f"**{tool.title}**", tool.summary)
    price = f" · {short_price(one.price)}" if guide.available.has_key else ""
    said = f"{tool.emoji} {named}{price}"
    return f"{said}\n-# {hindrance}" if hindrance else said


def _place_words(guide: Guide) -> Iterator[str]:
    places = guide.places
    if places.taps:
        emoji = " ".join(str(tap.emoji) for tap in places.taps)
        yield _("Tap an emoji under a photo here: {emoji}", emoji=emoji)
    if places.offers:
        names = or_list([f"<#{one}>" for one in places.offers])
        yield _("Post a photo in {channels}, and tap an emoji under it.", channels=names)
    titles = {one.tool.slug: one.tool.title for one in guide.available.prices}
    for channel in places.autos:
        if channel.preset is not None and channel.preset.tool in titles:
            place, title = f"<#{channel.channel_id}>", titles[channel.preset.tool]
            yield _(
                "Post a photo in {channel}: **{tool}** runs on it automatically.", channel=place, tool=title
            )


def _places(
    services: Services,
    client: discord.Client,
    guild_id: int,
    person: discord.abc.User,
    context: MemberContext,
) -> PhotoPlaces:
    # Without the intent Discord doesn't show the bot other people's photos.
    if not client.intents.message_content:
        return PhotoPlaces()
    rules, guild = services.photo_rules.rules(guild_id), client.get_guild(guild_id)
    visible = [one for one in rules.channels.values() if _sees(guild, person, one.channel_id)]
    offers = [one.channel_id for one in visible if one.kind is PhotoChannelKind.OFFER]
    autos = [one for one in visible if one.kind is PhotoChannelKind.AUTO]
    here = rules.everywhere or bool(context.channels & {*rules.reaction_channels, *offers})
    taps = services.photo_rules.taps(guild_id)[:MAX_OFFERED_EMOJI] if here else ()
    return PhotoPlaces(taps, offers[:MAX_NAMED_CHANNELS], autos[:MAX_NAMED_CHANNELS])


def _decides(
    guild: discord.Guild | None, person: discord.abc.User, context: MemberContext, approval: ApprovalRules
) -> bool:
    channel = _nameable(guild, approval.channel_id)
    if channel is None or not isinstance(person, discord.Member):
        return False
    moderates = moderates_in(person, channel)
    return approval.may_approve(context.roles, manages=context.manages, moderates=moderates)


def _sees(guild: discord.Guild | None, person: discord.abc.User, channel_id: int) -> bool:
    channel = _nameable(guild, channel_id)
    if channel is None or not isinstance(person, discord.Member):
        return False
    return channel.permissions_for(person).view_channel


def _nameable(
    guild: discord.Guild | None, channel_id: int | None
) -> discord.abc.GuildChannel | discord.Thread | None:
    """Return the channel or thread, unless it is private: who was invited to a private thread is unknown."""
    channel = channel_in(guild, channel_id)
    return None if isinstance(channel, discord.Thread) and channel.is_private() else channel
