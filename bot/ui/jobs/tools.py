"""The panel of `/tools`: each tool with an example, its price, and whether the member may use it now."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import discord
from discord import ui

from bot.catalog import SourceRule
from bot.reasons import Reason
from bot.services import NO_KEY, MemberState, OtherPrice, ToolPrice, price_words
from bot.ui.jobs.credits import DEFAULT_HOLDS, own_limits
from bot.ui.jobs.tool_picker import BUTTONS_IN_A_ROW, tool_rows
from bot.ui.kit.layout import GOING, NEUTRAL, Panel, Piece, box, lines, rule, small, text
from bot.ui.kit.reasons import reason_words
from bot.ui.kit.text import plain, sentence, shortened

EXAMPLES = Path(__file__).parents[1] / "examples"
MOST_PICTURES = 9  # of the 10 files that a message holds
MOST_PIECES = 32  # of the 40 components that a message holds: a tool takes two, with a picture four
MOST_TEXT = 3200  # characters of the 4,000 that a message holds
LONGEST_REASON = 300
MOST_OTHERS = 4  # prices of other choices, for each tool
NOT_ENOUGH = "You don't have enough credits left for this."
NOT_ENOUGH_FOR_ANY = "You don't have enough credits left for any tool."
HELD = "Studii refused the last job."
PAUSED = "New jobs are paused here. An admin can resume with `/studii resume`."

_PHOTO = {
    SourceRule.NONE: "From text",
    SourceRule.OPTIONAL: "From text, or a photo and text",
    SourceRule.REQUIRED: "From a photo",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything that the panel shows."""

    prices: Sequence[ToolPrice]
    denials: Mapping[str, str]  # why a tool may not be used here, by slug
    limits: MemberState
    pictures: Mapping[str, bytes]  # by slug
    has_key: bool
    held: Reason | None = None  # why Studii accepts no jobs with the server's key now

    @property
    def left(self) -> int:
        """The credits that the member may still spend, of the budget and of an allowance if there is one."""
        budget, own = self.limits.budget.left, self.limits.left
        return budget if own is None else min(budget, own)

    @property
    def denial(self) -> str | None:
        """Why no tool may be used here, if the reason is the same for all of them; shown once."""
        reasons = {self.denials.get(one.tool.slug) for one in self.prices}
        return reasons.pop() if len(reasons) == 1 else None

    @property
    def too_little(self) -> bool:
        """Whether too few credits are left for any of the tools; said once."""
        return bool(self.prices) and all(one.price.amount > self.left for one in self.prices)


def example_name(slug: str) -> str:
    return f"{slug}.jpg"


def read_examples(slugs: Sequence[str]) -> dict[str, bytes]:
    """Read the pictures of the tools that have one. Call it in a thread."""
    found = {slug: EXAMPLES / example_name(slug) for slug in slugs}
    return {slug: path.read_bytes() for slug, path in found.items() if path.is_file()}


def tools_panel(offer: Offer) -> tuple[Panel, list[discord.File]]:
    """Return the panel, and the files that it shows."""
    shown: list[Piece] = []
    files: list[discord.File] = []
    written = pieces = 0
    for one in offer.prices:
        words = _tool_words(one, offer)
        picture = offer.pictures.get(one.tool.slug) if len(files) < MOST_PICTURES else None
        written += len(words)
        pieces += 2 if picture is None else 4
        rows = len(shown) // BUTTONS_IN_A_ROW + 1
        if written > MOST_TEXT or pieces + rows > MOST_PIECES:
            break
        if picture is None:
            shown.append(text(words))
            continue
        name = example_name(one.tool.slug)
        files.append(discord.File(io.BytesIO(picture), filename=name))
        alt = f"{one.tool.title}: example"
        shown.append(ui.Section(text(words), accessory=ui.Thumbnail(f"attachment://{name}", description=alt)))
    more = len(offer.prices) - len(shown)
    usable = [one.tool for one in offer.prices[: len(shown)] if one.tool.slug not in offer.denials]
    panel = Panel(
        box(
            NEUTRAL if _ready(offer) else GOING,
            "### 🧰 What you can make here",
            _left_words(offer),
            rule(),
            *shown,
            rule(),
            f"…and {more:,} more: type `/` to see them." if more else "",
            *tool_rows(usable),
            small(
                "`/credits` shows your usage. Prices follow Studii's latest charges. Only you can see this."
            ),
        )
    )
    return panel, files


def _ready(offer: Offer) -> bool:
    return offer.has_key and offer.held is None and not offer.limits.budget.settings.paused


def _left_words(offer: Offer) -> str:
    budget = offer.limits.budget
    return lines(
        "" if offer.has_key else f"⚠️ {NO_KEY}",
        f"⚠️ {HELD} {sentence(reason_words(offer.held))}" if offer.held else "",
        f"⏸️ {PAUSED}" if budget.settings.paused else "",
        f"🚫 {shortened(offer.denial, LONGEST_REASON)}" if offer.denial else "",
        f"🚫 {NOT_ENOUGH_FOR_ANY}" if offer.too_little else "",
        f"**{budget.left_words}** in this server. {budget.renewal_words}",
        *own_limits(offer.limits),
        small(DEFAULT_HOLDS) if budget.is_default else "",
    )


def _tool_words(one: ToolPrice, offer: Offer) -> str:
    tool = one.tool
    return lines(
        f"{tool.emoji} **{tool.title}** · `/{tool.slug}`",
        tool.summary,
        small(f"{_PHOTO[tool.source]} · {price_words(one.price)}{_choices(one)}"),
        "" if offer.denial else _hindrance(one, offer),
    )


def _choices(one: ToolPrice) -> str:
    """Return the prices of other choices, always with the highest; if unknown, which choices change it."""
    if one.others:
        shown = (*one.others[: MOST_OTHERS - 1], one.others[-1])[: len(one.others)]
        return "".join(f"; with {_chosen(other)} {_figure(other)}" for other in shown)
    priced = [f"`{chosen.name}`" for chosen in one.tool.inputs if chosen.price]
    return f", depending on {' and '.join(priced)}" if priced else ""


def _figure(other: OtherPrice) -> str:
    amount = f"{other.price.amount:,}"
    return amount if other.price.learned else f"about {amount}"


def _chosen(other: OtherPrice) -> str:
    return " and ".join(f"{name} **{plain(value, 30)}**" for name, value in other.choices.items())


def _hindrance(one: ToolPrice, offer: Offer) -> str:
    denial = offer.denials.get(one.tool.slug)
    if denial:
        return f"🚫 {shortened(denial, LONGEST_REASON)}"
    return f"🚫 {NOT_ENOUGH}" if one.price.amount > offer.left and not offer.too_little else ""
