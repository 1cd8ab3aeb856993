"""The steps of the setup in their order: how each is, what is next, and what happens without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import discord

from bot.domain import LogSettings, Plan, StudiiKey
from bot.reasons import Reason
from bot.services import BudgetState, Lowered, credit_words, discord_timestamp
from bot.ui.admin.log import log_line
from bot.ui.admin.photos import INTENT_OFF, metadata_line
from bot.ui.kit.layout import BAD, GOING, GOOD, lines, small
from bot.ui.kit.reasons import reason_words
from bot.ui.kit.text import sentence
from bot.ui.reading.permissions import hindrance

KEYS_AT = "https://studii.tech/app/settings/api-keys"
NOT_READY = "Not ready yet. Fix what is marked ❌."
IS_PAUSED = "**Paused.** No new jobs start until you resume."
READY = (
    "**Ready.** Members type `/` and pick one of {tools} tools. `/help` explains them, and `/studii panel` "
    "posts buttons for them."
)
PUBLIC = "**Ready, but everyone can read the log channel.** Fix what is marked ⚠️."
NOTHING_LEFT = (
    "**No job can start now.** The cheapest tool costs {price}, and the server has {left}. {renewal}"
)


class Step(Enum):
    """A step of the setup; in this order. The value says how to take it."""

    KEY = "press **Enter key**."
    PERMISSIONS = "fix my permissions, or run this in the channel where members make pictures."
    BUDGET = "press **Set budget**."
    LOG = "choose a log channel with `/studii log`."
    PHOTOS = "turn on reactions with `/studii reactions`, or choose a photo channel with `/studii photos`."
    PANEL = "post buttons for every tool with `/studii panel`, and pin them."


# Everything works without these.
OPTIONAL = frozenset({Step.PHOTOS, Step.PANEL})


# What happens if a step is skipped.
SKIPPED = {
    Step.KEY: "Without a key, no one can start a job.",
    Step.PERMISSIONS: "Without this, no one can start a job in this channel.",
    Step.BUDGET: "Without a budget of your own, the default applies to the whole server.",
    Step.LOG: (
        "Without a log channel, the server's owner gets a DM about the key and unknown outcomes, and no one "
        "is warned when the budget is nearly used."
    ),
    Step.PHOTOS: "Without this, taps and photos start nothing. Commands, menus and forms work all the same.",
    Step.PANEL: "Without a panel, newcomers have to find `/` or `/help` themselves.",
}
REQUESTS_IN_PLACE = "where members ask, with a mention of those with Manage Server"
REQUESTS_WITHOUT_LOG = "where members ask, without a mention, because there's no log channel"


@dataclass(frozen=True, slots=True)
class SetupState:
    """Everything that the panel shows."""

    guild_id: int
    key: StudiiKey | None
    readable: bool
    lowered: Lowered | None  # fewer requests than the plan says
    held: Reason | None  # why Studii accepts no jobs with the key now
    budget: BudgetState
    missing: Sequence[str]  # permissions that the bot lacks in this channel
    lacking: str  # what keeps photos from being served, a line for each channel
    reads_messages: bool  # the message content intent
    log: LogSettings
    log_trouble: str  # why the bot can't post there
    log_is_public: bool
    tools: int
    least: int  # credits that the cheapest tool costs
    serves_photos: bool  # reactions are on somewhere, or there is a photo channel

    @property
    def works(self) -> bool:
        """Whether the key is served, and results can be posted here."""
        return self.key is not None and self.readable and self.held is None and not self.missing

    @property
    def nothing_left(self) -> bool:
        """Whether the rest of the budget is too small for any job."""
        return self.budget.left < max(1, self.least)


def next_step(now: SetupState) -> Step | None:
    """Return the first step that isn't done. None also while the key is on hold: that is no step."""
    if now.key is None or not now.readable:
        return Step.KEY
    if now.held is not None:
        return None
    if now.missing:
        return Step.PERMISSIONS
    if now.budget.is_default or now.nothing_left:
        return Step.BUDGET
    if now.log.channel_id is None:
        return Step.LOG
    if now.reads_messages and not now.serves_photos:
        return Step.PHOTOS
    return None if now.budget.settings.has_panel else Step.PANEL


def colour_of(now: SetupState) -> discord.Colour:
    """Return the panel's colour. It is green only if jobs can start and nothing has to be looked at."""
    if now.budget.settings.paused:
        return GOING
    if not now.works:
        return BAD
    return GOING if now.nothing_left or now.log_is_public else GOOD


def headline(now: SetupState) -> str:
    """Return whether members can start jobs, and the next step."""
    step = next_step(now)
    following = "**Next**, if you like" if step in OPTIONAL else "**Next**"
    return lines(_state_words(now), f"{following}: {step.value}" if step else "")


def step_lines(now: SetupState) -> str:
    """Return a line for each step, in their order, and under those that aren't done what follows from it."""
    return lines(
        _key_line(now),
        _skipped(Step.KEY, skipped=now.key is None or not now.readable),
        _permission_line(now),
        _skipped(Step.PERMISSIONS, skipped=bool(now.missing)),
        _budget_line(now),
        _skipped(Step.BUDGET, skipped=now.budget.is_default),
        log_line(now.log, now.log_trouble, public=now.log_is_public),
        _skipped(Step.LOG, skipped=now.log.channel_id is None),
        _requests_line(now.log),
        _photos_line(now),
        _skipped(Step.PHOTOS, skipped=now.reads_messages and not now.serves_photos),
        _panel_line(now),
        _skipped(Step.PANEL, skipped=not now.budget.settings.has_panel),
        now.lacking,
        metadata_line(keeps=now.budget.settings.keeps_metadata),
    )


def _state_words(now: SetupState) -> str:
    if now.budget.settings.paused:
        return IS_PAUSED
    if not now.works:
        return NOT_READY
    if now.nothing_left:
        price, budget = credit_words(now.least), now.budget
        return NOTHING_LEFT.format(price=price, left=budget.left_words, renewal=budget.renewal_words)
    return PUBLIC if now.log_is_public else READY.format(tools=now.tools)


def _skipped(step: Step, *, skipped: bool) -> str:
    return small(SKIPPED[step]) if skipped else ""


def _key_line(now: SetupState) -> str:
    if now.key is None:
        return f"❌ **Key**: none yet. Make one in your Studii account at {KEYS_AT}"
    if not now.readable:
        return "❌ **Key**: can't be read any more, because the bot's encryption key changed. Enter it again."
    key = f"**Key**: `{now.key.masked}`"
    works = f"❌ {key}. {sentence(reason_words(now.held))}" if now.held else f"✅ {key}"
    return f"{works}\n{_plan_line(now.key.plan, now.lowered)}"


def _plan_line(plan: Plan, lowered: Lowered | None) -> str:
    shown = f"{plan.value.capitalize()}, up to {plan.requests_per_minute} requests a minute"
    if lowered is None:
        return f"✅ **Plan**: {shown}"
    refused = f"⚠️ **Plan**: {shown}, but Studii refused some requests below that."
    if lowered.limit < plan.requests_per_minute:
        return (
            f"{refused} I send at most {lowered.limit} a minute, and try more "
            f"{discord_timestamp(lowered.until, 'R')}. If the account has another plan, choose it with "
            "**Replace key**"
        )
    return f"{refused} If something else uses this key, give me a key of my own with **Replace key**"


def _budget_line(now: SetupState) -> str:
    budget = now.budget
    mark = "⚠️" if budget.is_default or now.nothing_left else "✅"
    default = ", the default" if budget.is_default else ""
    return f"{mark} **Budget**: {budget.limit_words}{default}; {budget.left_words}"


def _permission_line(now: SetupState) -> str:
    if now.missing:
        return f"❌ **In this channel** I can't post results: {hindrance(list(now.missing))}"
    return "✅ **In this channel** I can post results"


def _requests_line(log: LogSettings) -> str:
    """Return where members' requests for more credits go."""
    if log.requests_in_place:
        return f"✅ **Requests for credits** go {REQUESTS_IN_PLACE}"
    if log.channel_id is None:
        return f"➖ **Requests for credits** go {REQUESTS_WITHOUT_LOG}"
    return "✅ **Requests for credits** go to the log channel"


def _photos_line(now: SetupState) -> str:
    if not now.reads_messages:
        return f"➖ {INTENT_OFF}"
    if now.serves_photos:
        return "✅ **Reactions or photo channels** are on"
    return "➖ **Reactions and photo channels** are off"


def _panel_line(now: SetupState) -> str:
    if now.budget.settings.has_panel:
        return "✅ **Panel**: posted. `/studii panel` posts another"
    return "➖ **Panel**: none yet"
