"""`/help`: the tools with examples and prices, and what a person can do here, by what they may do."""

import asyncio
import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot.catalog import SourceRule, Tool, spaced
from bot.credits.budgets import Estimate, price_words, short_price
from bot.credits.limits import MemberState, of_member
from bot.credits.prices import ToolPrice, price_table
from bot.errors import Refused, StudiiBotError
from bot.features.photo_rules import MAX_OFFERED_EMOJI, WHOLE_SERVER, PhotoChannelKind
from bot.jobs import holds
from bot.jobs.decide import NO_KEY
from bot.jobs.models import MemberContext
from bot.languages import Message, and_list, gettext as _, lazy, ngettext, or_list, sentences, speaking
from bot.reasons import Reason
from bot.servers import access, keys, settings
from bot.ui.jobs.choosing import MAX_TOOL_BUTTONS, tool_rows
from bot.ui.jobs.forms import capitalised
from bot.ui.kit.answers import NO_MENTIONS, answer, defer_answer, host_of, refused_as
from bot.ui.kit.layout import (
    BUTTONS_IN_A_ROW,
    GOING,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    fitting,
    lines,
    named_value,
    plain,
    row,
    sentence,
    shortened,
    small,
    text,
)
from bot.ui.kit.reasons import reason_words
from bot.ui.panels.controls import Press, button
from bot.ui.reading.permissions import (
    channel_in,
    hindrance,
    manages,
    member_context,
    missing_to_post,
    moderates_in,
    server_of,
)

MAX_DENIAL_CHARACTERS = 300


@dataclass(frozen=True)
class Guide:
    """The tools with their prices, and everything that may keep the person from using them."""

    context: MemberContext
    prices: Sequence[ToolPrice]
    denials: Mapping[str, str]  # why a tool may not be used here, by slug
    limits: MemberState
    held: Reason | None  # why Studii accepts no jobs with the server's key now
    approval: access.AccessRules

    @property
    def left(self) -> int:
        """Return the credits that the member may still spend, of the budget and of an allowance."""
        budget, own = self.limits.budget.left, self.limits.left
        return budget if own is None else min(budget, own)

    @property
    def denial(self) -> str | None:
        """Return why no tool may be used here, if the reason is the same for all of them; shown once."""
        reasons = {self.denials.get(one.tool.slug) for one in self.prices}
        return reasons.pop() if len(reasons) == 1 else None

    @property
    def too_little(self) -> bool:
        """Return whether too few credits are left for any of the tools; said once."""
        return bool(self.prices) and all(one.price.amount > self.left for one in self.prices)

    @property
    def paused(self) -> bool:
        return self.limits.budget.settings.paused

    def waits(self, tool: Tool) -> bool:
        """Return whether the person's requests for that tool wait for a moderator."""
        return self.approval.wants_approval(tool.slug, self.context)


async def _guide_for(interaction: discord.Interaction) -> Guide:
    """Read what the person can do here."""
    guild_id, context, host = server_of(interaction), member_context(interaction), host_of(interaction)
    db, user_id, now = host.resources.db, interaction.user.id, host.clock.now()
    rules, table = await db.read(access.of, guild_id, now), await db.read(price_table, guild_id)
    return Guide(
        context,
        prices=[table.listed(tool) for tool in host.catalog.tools.values()],
        denials=access.denials(rules, user_id, context, host.catalog),
        limits=await db.read(of_member, guild_id, user_id, context.roles, now),
        held=await db.read(holds.why_held, guild_id),
        approval=rules,
    )


def _hindrances(guide: Guide) -> str:
    """Return what keeps the member from using any tool, a line for each reason."""
    return lines(
        f"⚠️ {sentences(_('Studii refused the last job.'), sentence(reason_words(guide.held)))}"
        if guide.held
        else "",
        f"⏸️ {_('New jobs are paused here. An admin can resume with `/studii setup`.')}"
        if guide.paused
        else "",
        f"🚫 {shortened(guide.denial, MAX_DENIAL_CHARACTERS)}" if guide.denial else "",
        "🚫 " + _("You don't have enough credits left for any tool.") if guide.too_little else "",
    )


def _hindrance(one: ToolPrice, guide: Guide, *, all_wait: bool) -> str:
    """Return what keeps the person from using this tool at once, unless it is said for all of them."""
    denial = guide.denials.get(one.tool.slug)
    if denial:
        return "" if guide.denial else f"🚫 {shortened(denial, MAX_DENIAL_CHARACTERS)}"
    if one.price.amount > guide.left and not guide.too_little:
        return "🚫 " + _("You don't have enough credits left for this.")
    waits = guide.waits(one.tool) and not all_wait
    return f"🛂 {APPROVED_TOOL[guide.approval.wants_results]}" if waits else ""


def left_out_words(count: int) -> str:
    """Return the line below a list of tools that has no room for `count` more."""
    return ngettext(
        "…and {count} more: type `/` to see them.", "…and {count} more: type `/` to see them.", count
    )


# A picture for each tool that ships, by slug.
EXAMPLES = {path.stem: path.read_bytes() for path in Path(__file__).with_name("examples").iterdir()}
# By their files' names: where someone sees the bot for the first time.
SHOWN_FIRST = {
    f"{slug}.jpg": EXAMPLES[slug] for slug in ("virtual-staging", "photo-restore", "product-background")
}
MAX_EXAMPLE_PICTURES = 9  # of the 10 files that a message holds
MAX_PIECES = 30  # of the 40 components that a message holds: a tool takes two, with a picture four
MAX_TOOL_CHARACTERS = 1800  # of the 4,000 that a message holds
MAX_OTHER_PRICES = 4  # prices of other choices, for each tool

_PHOTO = {
    SourceRule.NONE: lazy("From text"),
    SourceRule.OPTIONAL: lazy("From text, or a photo and text"),
    SourceRule.REQUIRED: lazy("From a photo"),
}


def tool_pieces(
    prices: Sequence[ToolPrice], hindrances: Mapping[str, str]
) -> tuple[list[Piece], list[discord.File]]:
    """Return a piece for each of the first tools, as many as fit into a message, and their files.

    `hindrances` say what keeps the member from a tool, by slug.
    """
    shown: list[Piece] = []
    files: list[discord.File] = []
    written = pieces = 0
    for one in prices:
        words = _tool_words(one, hindrances.get(one.tool.slug, ""))
        picture = EXAMPLES.get(one.tool.slug) if len(files) < MAX_EXAMPLE_PICTURES else None
        written += len(words)
        pieces += 2 if picture is None else 4
        rows = len(shown) // BUTTONS_IN_A_ROW + 1
        if written > MAX_TOOL_CHARACTERS or pieces + rows > MAX_PIECES:
            break
        if picture is None:
            shown.append(text(words))
            continue
        name = f"{one.tool.slug}.jpg"
        files.append(discord.File(io.BytesIO(picture), filename=name))
        alt = _("{tool}: example", tool=one.tool.title)
        shown.append(ui.Section(text(words), accessory=ui.Thumbnail(f"attachment://{name}", description=alt)))
    return shown, files


def _tool_words(one: ToolPrice, hindrance: str) -> str:
    tool = one.tool
    return lines(
        f"{tool.emoji} **{tool.title}** `/{tool.slug}`",
        tool.summary,
        small(f"{_PHOTO[tool.source]} · {_prices(one)}"),
        small(hindrance),
    )


def _prices(one: ToolPrice) -> str:
    """Return the price, and those of other choices, always with the highest; if unknown, what changes it."""
    usual = price_words(one.price)
    if one.others:
        shown = (*one.others[: MAX_OTHER_PRICES - 1], one.others[-1])[: len(one.others)]
        return " · ".join([usual, *(_other_words(one.tool, *other) for other in shown)])
    priced = [f"`{chosen.name}`" for chosen in one.tool.inputs if chosen.price]
    return _("{price}, depending on {inputs}", price=usual, inputs=and_list(priced)) if priced else usual


def _other_words(tool: Tool, choices: Mapping[str, str], price: Estimate) -> str:
    named = [tool.named_value(name, value) for name, value in choices.items()]
    chosen = and_list([f"{name} **{plain(value, 30)}**" for name, value in named])
    return named_value(chosen, str(short_price(price)))


MAX_NAMED_CHANNELS = 5  # of each kind
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


def help_panel(interaction: discord.Interaction, guide: Guide) -> tuple[Panel, list[discord.File]]:
    """Return the answer, and the files that it shows."""
    context, approval = guide.context, guide.approval
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    why = hindrance(missing) if missing else ""
    allowed = [one.tool for one in guide.prices if one.tool.slug not in guide.denials]
    all_wait = all(map(guide.waits, allowed))
    tools: list[Piece] = []
    files: list[discord.File] = []
    if guide.denial is None:
        said = {one.tool.slug: _hindrance(one, guide, all_wait=all_wait) for one in guide.prices}
        tools, files = tool_pieces(guide.prices, said)
    more = len(guide.prices) - len(tools)
    usable = [one.tool for one in guide.prices[: len(tools)] if one.tool in allowed]
    ways = [
        _("With a photo in the chat: right-click its message (on a phone: long press), then **Apps**."),
        _("Or mention me with a photo, with words, or both."),
        *_place_words(interaction, guide),
    ]
    panel = boxed(
        NEUTRAL if not (guide.held or guide.paused or missing) else GOING,
        lines(
            f"### 👋 {_('What you can do here')}",
            "⚠️ " + _("I can't post results in this channel: {reason}.", reason=why) if missing else "",
            _hindrances(guide),
        ),
        *tools,
        left_out_words(more) if tools and more else "",
        f"🛂 {APPROVED_FIRST[approval.wants_results]}" if usable and all_wait else "",
        lines(
            lazy(
                "Press a button below, or type `/` and pick a tool. The form takes your photo and shows the "
                "price."
            ),
            *(f"- {one}" for one in ways),
        )
        if usable
        else "",
        lines(
            lazy(
                "`/jobs` shows your jobs, `/credits` the credits left, `/styles` your styles. "
                "`/settings` has your defaults, who can use your photos, and the button that erases "
                "your data."
            ),
            lazy("**As a moderator** you can also cancel others' jobs, and delete their results.")
            if context.moderates
            else "",
            _decides(interaction, guide),
            lazy(
                "**As an admin**: `/studii setup` shows what's missing and can post these buttons for "
                "everyone. `/studii credits` and `/studii moderation` limit who can use what, and where."
            )
            if context.manages
            else "",
        ),
        *tool_rows(usable),
        small(lazy("Prices follow Studii's latest charges.")) if usable else "",
    )
    return panel, files


async def show_help(interaction: discord.Interaction) -> None:
    """Answer with what the person can do here. Raises `Refused` in a DM."""
    guild_id, db = server_of(interaction), host_of(interaction).resources.db
    # On a slow connection the pictures take longer than Discord waits for a first answer.
    await defer_answer(interaction)
    if await db.read(keys.current, guild_id) is not None:
        await answer(interaction, *help_panel(interaction, await _guide_for(interaction)))
        return
    primary = discord.ButtonStyle.primary
    opens = ui.Button[Any](label=_("Set up"), style=primary, custom_id="studii:setup:open")
    opened = [row(opens)] if manages(interaction) else []
    await answer(interaction, boxed(GOING, f"### 👋 {_('What you can do here')}\n⚠️ {NO_KEY}", *opened))


def mentioned_panel() -> Panel:
    """Return the answer to a mention without a photo and words."""
    return boxed(
        NEUTRAL,
        lazy(
            "👋 Mention me with a photo, with words, or both, and choose a tool.\nOr type `/` and "
            "pick one: its form takes your photo.\n`/help` shows what each tool does and costs."
        ),
        row(shows_help.of()),
    )


@button("help", label=lazy("Show help"), emoji="👋")
async def shows_help(press: Press) -> None:
    """Answer like `/help`, for the person who pressed it."""
    await show_help(press.interaction)


def _place_words(interaction: discord.Interaction, guide: Guide) -> Iterator[str]:
    """Yield where the person sees that a photo is enough to start a tool."""
    # Without the intent Discord doesn't show the bot other people's photos.
    if not interaction.client.intents.message_content:
        return
    photos, guild_id = host_of(interaction).resources.photo_rules, server_of(interaction)
    rules, person = photos.rules(guild_id), interaction.user
    seen = [
        one
        for one in rules.channels.values()
        if (channel := _nameable(interaction.guild, one.channel_id)) is not None
        and isinstance(person, discord.Member)
        and channel.permissions_for(person).view_channel
    ]
    offers = [one.channel_id for one in seen if one.kind is PhotoChannelKind.OFFER]
    taps = photos.taps(guild_id)[:MAX_OFFERED_EMOJI]
    if taps and {WHOLE_SERVER, *guide.context.channels} & {*rules.reaction_places, *offers}:
        emoji = " ".join(str(tap.emoji) for tap in taps)
        yield _("Tap an emoji under a photo here: {emoji}", emoji=emoji)
    if offers:
        names = or_list([f"<#{one}>" for one in offers[:MAX_NAMED_CHANNELS]])
        yield _("Post a photo in {channels}, and tap an emoji under it.", channels=names)
    titles = {one.tool.slug: one.tool.title for one in guide.prices}
    for channel in [one for one in seen if one.kind is PhotoChannelKind.AUTO][:MAX_NAMED_CHANNELS]:
        if channel.preset is not None and channel.preset.tool in titles:
            place, title = f"<#{channel.channel_id}>", titles[channel.preset.tool]
            yield _(
                "Post a photo in {channel}: **{tool}** runs on it automatically.", channel=place, tool=title
            )


def _decides(interaction: discord.Interaction, guide: Guide) -> str:
    """Return where the person decides on requests that wait for approval, if they do."""
    approval, person = guide.approval, interaction.user
    channel = _nameable(interaction.guild, approval.settings.approval_channel)
    if channel is None or not isinstance(person, discord.Member):
        return ""
    if not approval.may_approve(replace(guide.context, moderates=moderates_in(person, channel))):
        return ""
    if approval.wants_results:
        return _(
            "You decide on requests and results in {channel}; `/jobs` has results that weren't posted.",
            channel=channel.mention,
        )
    return _("You decide on requests in {channel}.", channel=channel.mention)


def _nameable(
    guild: discord.Guild | None, channel_id: int | None
) -> discord.abc.GuildChannel | discord.Thread | None:
    """Return the channel or thread, unless it is private: who was invited to a private thread is unknown."""
    channel = channel_in(guild, channel_id)
    return None if isinstance(channel, discord.Thread) and channel.is_private() else channel


_log = logging.getLogger(__name__)

POST_TIMEOUT = 30.0  # seconds


def gallery_of(names: Iterable[str]) -> Piece | str:
    """Return a gallery of the files of these names, which are sent along; empty without any."""
    items = list[discord.MediaGalleryItem]()
    for name in names:
        alt = _("{tool}: example", tool=capitalised(spaced(Path(name).stem)))
        items.append(discord.MediaGalleryItem(f"attachment://{name}", description=alt))
    return ui.MediaGallery[Any](*items) if items else ""


def files_of(pictures: Mapping[str, bytes]) -> list[discord.File]:
    """Return the files of pictures that are given by the names of these."""
    return [discord.File(io.BytesIO(data), filename=name) for name, data in pictures.items()]


def public_panel(tools: Sequence[Tool]) -> Panel:
    """Return the panel, with which `SHOWN_FIRST` is sent. Its buttons open the forms for who presses them.

    It may be pinned for years, so it names no price and nothing that only some may do.
    """
    said = [f"{tool.emoji} {named_value(f'**{tool.title}**', tool.summary)}" for tool in tools]
    return boxed(
        NEUTRAL,
        lines(
            f"### 🎨 {_('Make and edit pictures with Studii')}",
            lazy(
                "Press a button: a form opens, with room for your photo. It shows the price, "
                "and nothing is charged before you send it."
            ),
        ),
        gallery_of(SHOWN_FIRST),
        lines(*fitting(said, MAX_TOOL_CHARACTERS, left_out_words)),
        *tool_rows(tools[:MAX_TOOL_BUTTONS]),
        row(shows_help.of()),
    )


async def post_panel(interaction: discord.Interaction) -> Message:
    """Post the panel in the channel. Return the confirmation, with how to pin it.

    Raises `Refused` if it can't be posted there, or if results couldn't.
    """
    guild_id = server_of(interaction)
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    if missing:
        raise Refused(
            lazy("I can't post the panel here: {reason}. Nothing was posted.", reason=hindrance(missing))
        )
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0, guild_id=guild_id)
    host = host_of(interaction)
    with speaking(await host.readers.in_server(guild_id)):
        panel = public_panel(list(host.catalog.tools.values()))
    with refused_as(
        lazy("Discord didn't accept the panel. Check whether it was posted before you try again.")
    ):
        async with asyncio.timeout(POST_TIMEOUT):
            files = files_of(SHOWN_FIRST)
            message = await channel.send(view=panel, files=files, allowed_mentions=NO_MENTIONS, silent=True)
    try:
        await host.resources.db.write(settings.change, guild_id, panel_posted_at=host.clock.now())
    except StudiiBotError as error:
        _log.warning("Server %d: its new panel could not be stored: %s", guild_id, error)
    return lazy(
        "[The panel]({address}) is posted. To pin it, right-click it (on a phone: long "
        "press), then **Pin Message**. Its buttons keep working until you delete it.",
        address=message.jump_url,
    )
