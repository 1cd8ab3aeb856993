"""Answer a mention of the bot with the tools for its photo and its words, as buttons with prices.

Only the person who wrote the mention can press them. Their photo and words are read again at the press.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from bot.catalog import SourceRule, Tool
from bot.credits.prices import ToolPrice, short_price
from bot.errors import NotAllowed, Refused
from bot.jobs.models import SourcePhoto
from bot.languages import gettext as _, lazy
from bot.services import Services
from bot.ui.jobs.forms.open_form import ask, begin, own_inputs
from bot.ui.jobs.forms.tool_form import FormStart
from bot.ui.jobs.forms.tool_picker import LABEL_LENGTH, MAX_TOOL_BUTTONS
from bot.ui.jobs.start import Terms, start_once
from bot.ui.kit.discord_errors import refused_as
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.host import in_order
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, button_rows, small
from bot.ui.kit.text import plain, shortened
from bot.ui.panels.controls import Press, button
from bot.ui.reading import LOOKUP_TIMEOUT
from bot.ui.reading.photo_lookup import author_in, is_before
from bot.ui.reading.pictures import photos_in, taken_of

WORDS_SHOWN = 200  # characters
ONLY_THEY = lazy("Only {member} can use these buttons. Mention me with a photo of your own.")
MESSAGE_GONE = lazy(
    "I can't see that message any more. Mention me again, with the photo. Nothing was charged."
)
AWAY = lazy("Discord didn't show me your message. Try again in a moment. Nothing was charged.")
NO_TOOL_TAKES_IT = lazy("No tool here can use that. `/help` shows what you can make.")
UNSEEN = lazy(
    "Discord doesn't show me the photos in other people's messages here. Use the photo's own menu: long "
    "press or right click it, then Apps. Or mention me in the message with the photo."
)


@dataclass(frozen=True, slots=True)
class Mention:
    """The subject of a mention. `unseen`: it replies to a message whose content Discord doesn't show."""

    photos: Sequence[SourcePhoto] = ()
    words: str = ""
    author: int | None = None  # of the photos
    unseen: bool = False


def mentions(message: discord.Message, user: discord.abc.Snowflake) -> bool:
    """Return whether the message itself names the bot.

    A reply to the bot and a mention of its role do not, and Discord need not show their content.
    """
    return _mark(user).search(message.content) is not None


async def read_mention(message: discord.Message, client: discord.Client, services: Services) -> Mention:
    """Return the photos and words of a message that mentions the bot, or the photos that it replies to."""
    user = client.user
    words = " ".join(_mark(user).sub(" ", message.content).split()) if user is not None else ""
    photos = taken_of(photos_in(message))
    if photos:
        return Mention(photos, words, message.author.id)
    replied = message.reference.resolved if message.reference is not None else None
    if not isinstance(replied, discord.Message):
        return Mention(words=words)
    photos = taken_of(photo for photo in photos_in(replied) if not is_before(photo))
    if photos:
        return Mention(photos, words, await author_in(replied, client, services))
    own = user is not None and replied.author.id == user.id
    return Mention(words=words, unseen=not own and not client.intents.message_content)


def tools_for(mention: Mention, tools: Sequence[Tool]) -> list[Tool]:
    """Return the tools for what is in the mention: those that take its photo, or its words alone."""
    if mention.photos:
        return [tool for tool in tools if tool.source is not SourceRule.NONE]
    return [tool for tool in tools if tool.source is not SourceRule.REQUIRED and tool.prompt is not None]


def offer_panel(message: discord.Message, mention: Mention, prices: Sequence[ToolPrice]) -> Panel:
    """Return the offer of these tools to the message's author."""
    buttons = [
        mentioned.looking(
            label=f"{shortened(one.tool.title, LABEL_LENGTH // 2)} · {short_price(one.price)}",
            emoji=one.tool.emoji,
        ).of(one.tool.slug, message.author.id, message.id, one.price.amount)
        for one in prices[:MAX_TOOL_BUTTONS]
    ]
    said = _("“{words}”", words=plain(mention.words, WORDS_SHOWN)) if mention.words else ""
    return boxed(
        NEUTRAL,
        f"### {_('What would you like to make?')}",
        said,
        *button_rows(buttons),
        small(_("For {member}. Nothing is charged before you choose.", member=f"<@{message.author.id}>")),
    )


@button("mention:{tool}:{author}:{message_id}:{price}")
async def mentioned(press: Press, tool: str, author: int, message_id: int, price: int) -> None:
    """Start a tool from a mention, for the person who wrote it. The label names the `price` in credits."""
    if press.interaction.user.id != author:
        raise NotAllowed(ONLY_THEY.using(member=f"<@{author}>"))
    with in_order(press.interaction):
        await _start(press, press.host.catalog.get(tool), message_id, price)


async def _start(press: Press, tool: Tool, message_id: int, price: int) -> None:
    interaction = press.interaction
    message = await read_before_form(interaction, _message(interaction, message_id))
    reading = read_mention(message, interaction.client, press.host.services)
    mention = await read_before_form(interaction, reading)
    if tool not in tools_for(mention, [tool]):
        raise Refused(MESSAGE_GONE)
    # The bot's offer goes once it is taken.
    offer_id = interaction.message.id if interaction.message is not None else None
    terms = Terms(photo_author=mention.author, offer_id=offer_id, shown_price=price)
    if message.author.id == mention.author:
        terms = replace(terms, message_id=message.id)
    prompt = tool.prompt
    if prompt is None or not mention.words:
        await begin(interaction, tool, mention.photos, terms)
        return
    values = await own_inputs(interaction, tool)
    values[prompt.name] = mention.words[: prompt.max_length]
    if len(mention.photos) > 1 or len(mention.words) > prompt.max_length:
        await ask(interaction, tool, FormStart(mention.photos, values), terms)
    else:
        await start_once(interaction, tool, values, mention.photos, terms)


async def _message(interaction: discord.Interaction, message_id: int) -> discord.Message:
    channel = interaction.client.get_partial_messageable(
        interaction.channel_id or 0, guild_id=interaction.guild_id
    )
    with refused_as(AWAY, gone=MESSAGE_GONE):
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            return await channel.fetch_message(message_id)


def _mark(user: discord.abc.Snowflake) -> re.Pattern[str]:
    return re.compile(rf"<@!?{user.id}>")
