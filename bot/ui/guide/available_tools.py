"""Find what a member can make here now, and what keeps them from it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.credits import limits, prices
from bot.credits.limits import MemberState
from bot.credits.prices import OtherPrice, ToolPrice, price_words, short_price
from bot.jobs import holds
from bot.jobs.models import MemberContext
from bot.languages import and_list, gettext as _, lazy, ngettext, sentences
from bot.reasons import Reason
from bot.servers import access, keys
from bot.services import Services
from bot.ui.kit.layout import (
    BUTTONS_IN_A_ROW,
    Piece,
    lines,
    named_value,
    plain,
    sentence,
    shortened,
    small,
    text,
)
from bot.ui.kit.reasons import reason_words

MAX_DENIAL_CHARACTERS = 300
NOT_ENOUGH = lazy("You don't have enough credits left for this.")
NOT_ENOUGH_FOR_ANY = lazy("You don't have enough credits left for any tool.")
HELD = lazy("Studii refused the last job.")
PAUSED_HERE = lazy("New jobs are paused here. An admin can resume with `/studii setup`.")


@dataclass(frozen=True, slots=True)
class AvailableTools:
    """The tools with their prices, and everything that may keep a member from using them."""

    prices: Sequence[ToolPrice]
    denials: Mapping[str, str]  # why a tool may not be used here, by slug
    limits: MemberState
    has_key: bool
    held: Reason | None  # why Studii accepts no jobs with the server's key now

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
    def is_open(self) -> bool:
        """Return whether the server accepts jobs now."""
        return self.has_key and self.held is None and not self.limits.budget.settings.paused

    def allows(self, tool: Tool) -> bool:
        """Return whether the tool gets a button: the server has a key, and lets the member use it here."""
        return self.has_key and tool.slug not in self.denials


async def available_for(
    services: Services, guild_id: int, user_id: int, context: MemberContext
) -> AvailableTools:
    """Read what the member can make in the server, in the channel of the context."""
    db, now = services.db, services.clock.now()
    table = await db.read(prices.price_table, guild_id)
    rules = await db.read(access.of, guild_id, now)
    return AvailableTools(
        prices=table.all_listed(services.catalog),
        denials=access.denials(rules, user_id, context, services.catalog),
        limits=await db.read(limits.of_member, guild_id, user_id, context.roles, now),
        has_key=await db.read(keys.current, guild_id) is not None,
        held=await db.read(holds.reason_of, guild_id),
    )


def hindrance_words(available: AvailableTools) -> str:
    """Return what keeps the member from using any tool, a line for each reason."""
    return lines(
        f"⚠️ {sentences(HELD, sentence(reason_words(available.held)))}" if available.held else "",
        f"⏸️ {PAUSED_HERE}" if available.limits.budget.settings.paused else "",
        f"🚫 {shortened(available.denial, MAX_DENIAL_CHARACTERS)}" if available.denial else "",
        f"🚫 {NOT_ENOUGH_FOR_ANY}" if available.too_little else "",
    )


def hindrance_of(one: ToolPrice, available: AvailableTools) -> str:
    """Return what keeps the member from using this tool, unless `hindrance_words` says it for all."""
    denial = available.denials.get(one.tool.slug)
    if denial:
        return "" if available.denial else f"🚫 {shortened(denial, MAX_DENIAL_CHARACTERS)}"
    return f"🚫 {NOT_ENOUGH}" if one.price.amount > available.left and not available.too_little else ""


def left_out_words(count: int) -> str:
    """Return the line below a list of tools that has no room for `count` more."""
    return ngettext(
        "…and {count} more: type `/` to see them.", "…and {count} more: type `/` to see them.", count
    )


EXAMPLES = Path(__file__).parents[1] / "examples"
MAX_EXAMPLE_PICTURES = 9  # of the 10 files that a message holds
MAX_PIECES = 30  # of the 40 components that a message holds: a tool takes two, with a picture four
MAX_TOOL_CHARACTERS = 1800  # of the 4,000 that a message holds
MAX_OTHER_PRICES = 4  # prices of other choices, for each tool

_PHOTO = {
    SourceRule.NONE: lazy("From text"),
    SourceRule.OPTIONAL: lazy("From text, or a photo and text"),
    SourceRule.REQUIRED: lazy("From a photo"),
}


def example_name(slug: str) -> str:
    return f"{slug}.jpg"


def read_examples(slugs: Sequence[str]) -> dict[str, bytes]:
    """Read the pictures of the tools that have one. Call it in a thread."""
    found = {slug: EXAMPLES / example_name(slug) for slug in slugs}
    return {slug: path.read_bytes() for slug, path in found.items() if path.is_file()}


def tool_pieces(
    prices: Sequence[ToolPrice], hindrances: Mapping[str, str], pictures: Mapping[str, bytes]
) -> tuple[list[Piece], list[discord.File]]:
    """Return a piece for each of the first tools, as many as fit into a message, and their files.

    `hindrances` say what keeps the member from a tool, and `pictures` are the examples, both by slug.
    """
    shown: list[Piece] = []
    files: list[discord.File] = []
    written = pieces = 0
    for one in prices:
        words = _tool_words(one, hindrances.get(one.tool.slug, ""))
        picture = pictures.get(one.tool.slug) if len(files) < MAX_EXAMPLE_PICTURES else None
        written += len(words)
        pieces += 2 if picture is None else 4
        rows = len(shown) // BUTTONS_IN_A_ROW + 1
        if written > MAX_TOOL_CHARACTERS or pieces + rows > MAX_PIECES:
            break
        if picture is None:
            shown.append(text(words))
            continue
        name = example_name(one.tool.slug)
        files.append(discord.File(io.BytesIO(picture), filename=name))
        alt = _("{tool}: example", tool=one.tool.title)
        shown.append(ui.Section(text(words), accessory=ui.Thumbnail(f"attachment://{name}", description=alt)))
    return shown, files


def _tool_words(one: ToolPrice, hindrance: str) -> str:
    tool = one.tool
    return lines(
        f"{tool.emoji} **{tool.title}** · `/{tool.slug}`",
        tool.summary,
        small(f"{_PHOTO[tool.source]} · {_prices(one)}"),
        small(hindrance),
    )


def _prices(one: ToolPrice) -> str:
    """Return the price, and those of other choices, always with the highest; if unknown, what changes it."""
    usual = price_words(one.price)
    if one.others:
        shown = (*one.others[: MAX_OTHER_PRICES - 1], one.others[-1])[: len(one.others)]
        return " · ".join([usual, *(_other_words(one.tool, other) for other in shown)])
    priced = [f"`{chosen.name}`" for chosen in one.tool.inputs if chosen.price]
    return _("{price}, depending on {inputs}", price=usual, inputs=and_list(priced)) if priced else usual


def _other_words(tool: Tool, other: OtherPrice) -> str:
    named = [tool.named_value(name, value) for name, value in other.choices.items()]
    chosen = and_list([f"{name} **{plain(value, 30)}**" for name, value in named])
    return named_value(chosen, str(short_price(other.price)))
