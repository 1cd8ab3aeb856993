"""The steps of the setup in their order: how each is, what is next, and what happens without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import discord

from bot.credits.budgets import BudgetState
from bot.domain.guilds import Plan
from bot.features.wording import credit_words, discord_timestamp
from bot.languages import Message, gettext as _, lazy, ngettext, sentences
from bot.reasons import Reason
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings
from bot.ui.admin.log import EVERYONE_READS, everyone_reads, trouble_there
from bot.ui.admin.photo_warnings import INTENT_OFF, lacking_words, shut_words
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.host import host_of
from bot.ui.kit.layout import BAD, GOING, GOOD, lines, sentence, small
from bot.ui.kit.reasons import reason_words
from bot.ui.reading.permissions import hindrance, missing_to_post

KEYS_AT = "https://studii.tech/app/settings/api-keys"
NOT_READY = lazy("Not ready yet. Fix each line with ❌.")
IS_PAUSED = lazy("**Paused.** No new jobs start until you resume.")
PUBLIC = lazy("**Ready, but everyone can read the log channel.** Fix the line with ⚠️.")
NOTHING_LEFT = lazy("**No job can start now.** The cheapest tool costs {price}, and the server has {left}.")


class SetupStep(Enum):
    """A step of the setup; in this order."""

    KEY = "key"
    PERMISSIONS = "permissions"
    BUDGET = "budget"
    LOG = "log"
    PHOTOS = "photos"
    PANEL = "panel"


# How to take each step. Everything works without the last two.
NEXT: Mapping[SetupStep, Message] = {
    SetupStep.KEY: lazy("**Next**: press **Enter key**."),
    SetupStep.PERMISSIONS: lazy(
        "**Next**: fix my permissions, or run this in the channel where members make pictures."
    ),
    SetupStep.BUDGET: lazy("**Next**: set a budget."),
    SetupStep.LOG: lazy("**Next**: choose a log channel."),
    SetupStep.PHOTOS: lazy("**Next**, if you like: let emoji under photos run tools, with `/studii photos`."),
    SetupStep.PANEL: lazy(
        "**Next**, if you like: press **Post panel** for buttons that everyone can use, and pin them."
    ),
}

# What happens if a step is skipped.
SKIPPED: Mapping[SetupStep, Message] = {
    SetupStep.KEY: lazy("Without a key, no one can start a job."),
    SetupStep.PERMISSIONS: lazy("Without this, no one can start a job in this channel."),
    SetupStep.BUDGET: lazy("Without a budget of your own, the default applies to the whole server."),
    SetupStep.LOG: lazy(
        "Without a log channel, the server's owner gets a DM about the key and unknown outcomes, and no one "
        "is warned when the budget is nearly used."
    ),
    SetupStep.PHOTOS: lazy(
        "Without this, taps and photos start nothing. Commands, menus and forms still work."
    ),
    SetupStep.PANEL: lazy("Without a panel, newcomers have to find `/` or `/help` themselves."),
}
REQUESTS_IN_PLACE = lazy(
    "**Requests for credits** go where members ask, with a mention of those with Manage Server"
)
REQUESTS_WITHOUT_LOG = lazy(
    "**Requests for credits** go where members ask, without a mention, because there's no log channel"
)


@dataclass(frozen=True, slots=True)
class SetupState:
    """Everything that the panel shows."""

    guild_id: int
    key: StudiiKey | None
    readable: bool
    lowered: tuple[int, datetime] | None  # fewer requests than the plan says, until then
    held: Reason | None  # why Studii accepts no jobs with the key now
    budget: BudgetState
    missing: Sequence[str]  # permissions that the bot lacks in this channel
    lacking: str  # what keeps photos from being served, a line for each channel
    reads_messages: bool  # the message content intent
    settings: GuildSettings
    log_trouble: str  # why the bot can't post there
    log_is_public: bool
    tools: int
    least: int  # credits that the cheapest tool costs
    serves_photos: bool  # reactions are on somewhere, or there is a photo channel

    @property
    def works(self) -> bool:
        """Return whether the key is served, and results can be posted here."""
        return self.key is not None and self.readable and self.held is None and not self.missing

    @property
    def nothing_left(self) -> bool:
        """Return whether the rest of the budget is too small for any job."""
        return self.budget.left < max(1, self.least)


async def seen_by(interaction: discord.Interaction[Any], row: Any) -> SetupState:
    """Return the state of the server that a panel is about: what the database says, and Discord."""
    host, guild = host_of(interaction), interaction.guild
    services, key, log = host.services, row.key, row.settings.log_channel_id
    rules, taps = services.photo_rules.rules(row.guild_id), services.photo_rules.taps(row.guild_id)
    shut = shut_words(guild, rules, taps, row.access, ToolNames(host.catalog))
    return SetupState(
        guild_id=row.guild_id,
        key=key,
        readable=key is None or services.vault.opens(key.ciphertext),
        lowered=row.lowered,
        held=row.held,
        budget=row.budget,
        missing=missing_to_post(interaction.app_permissions, interaction.channel),
        lacking=lines(lacking_words(guild, rules), shut),
        reads_messages=host.intents.message_content,
        settings=row.settings,
        log_trouble=trouble_there(guild, log),
        log_is_public=everyone_reads(guild, log),
        tools=len(host.catalog.tools),
        least=row.least,
        serves_photos=rules.are_on,
    )


def next_step(now: SetupState) -> SetupStep | None:
    """Return the first step that isn't done. None also while the key is on hold: that is no step."""
    if now.key is None or not now.readable:
        return SetupStep.KEY
    if now.held is not None:
        return None
    if now.missing:
        return SetupStep.PERMISSIONS
    if now.budget.is_default or now.nothing_left:
        return SetupStep.BUDGET
    if now.settings.log_channel_id is None:
        return SetupStep.LOG
    if now.reads_messages and not now.serves_photos:
        return SetupStep.PHOTOS
    return None if now.budget.settings.has_panel else SetupStep.PANEL


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
    return lines(_state_words(now), NEXT[step] if step else "")


def step_lines(now: SetupState) -> str:
    """Return a line for each step, in their order, and under those that aren't done what follows from it."""
    return lines(
        _key_line(now),
        _skipped(SetupStep.KEY, skipped=now.key is None or not now.readable),
        _permission_line(now),
        _skipped(SetupStep.PERMISSIONS, skipped=bool(now.missing)),
        _photos_line(now),
        _skipped(SetupStep.PHOTOS, skipped=now.reads_messages and not now.serves_photos),
        _panel_line(now),
        _skipped(SetupStep.PANEL, skipped=not now.budget.settings.has_panel),
        now.lacking,
    )


def _state_words(now: SetupState) -> str:
    if now.budget.settings.paused:
        return str(IS_PAUSED)
    if not now.works:
        return str(NOT_READY)
    if now.nothing_left:
        price, budget = credit_words(now.least), now.budget
        return sentences(NOTHING_LEFT.using(price=price, left=budget.left_words), budget.renewal_words)
    return str(PUBLIC) if now.log_is_public else _ready_words(now.tools)


def _ready_words(tools: int) -> str:
    return ngettext(
        "**Ready.** Members type `/` and pick {count} tool. `/help` explains it.",
        "**Ready.** Members type `/` and pick one of {count} tools. `/help` explains them.",
        tools,
    )


def _skipped(step: SetupStep, *, skipped: bool) -> str:
    return small(SKIPPED[step]) if skipped else ""


def _key_line(now: SetupState) -> str:
    if now.key is None:
        return "❌ " + _("**Key**: none yet. Make one in your Studii account at {address}", address=KEYS_AT)
    if not now.readable:
        return "❌ " + _(
            "**Key**: can't be read any more, because the bot's encryption key changed. Enter it again."
        )
    plan = _plan_line(now.key.plan, now.lowered)
    if not now.held:
        return lines(f"✅ {_('**Key**: `{key}`', key=now.key.masked)}", plan)
    held = _("**Key**: `{key}`. {why}", key=now.key.masked, why=sentence(reason_words(now.held)))
    return lines(f"❌ {held}", plan)


def _plan_line(plan: Plan, lowered: tuple[int, datetime] | None) -> str:
    name, requests = plan.value.capitalize(), plan.requests_per_minute
    if lowered is None:
        return "✅ " + _("**Plan**: {plan}, up to {requests} requests a minute", plan=name, requests=requests)
    refused = _(
        "**Plan**: {plan}, up to {requests} requests a minute, but Studii refused some requests below that.",
        plan=name,
        requests=requests,
    )
    limit, until = lowered
    if limit < requests:
        remedy = _(
            "The bot sends at most {limit} a minute, and tries more {when}. If the account "
            "has another plan, choose it with **Replace key**",
            limit=limit,
            when=discord_timestamp(until, "R"),
        )
    else:
        remedy = _("If something else uses this key, give the bot a key of its own with **Replace key**")
    return f"⚠️ {sentences(refused, remedy)}"


def budget_line(now: SetupState) -> str:
    """Return the budget, and what follows if none was set."""
    return lines(_budget_words(now), _skipped(SetupStep.BUDGET, skipped=now.budget.is_default))


def _budget_words(now: SetupState) -> str:
    budget = now.budget
    mark = "⚠️" if budget.is_default or now.nothing_left else "✅"
    words = {"limit": budget.limit_words, "left": budget.left_words}
    if budget.is_default:
        return f"{mark} {_('**Budget**: {limit}, the default; {left}', **words)}"
    return f"{mark} {_('**Budget**: {limit}; {left}', **words)}"


def _permission_line(now: SetupState) -> str:
    if now.missing:
        problem = hindrance(list(now.missing))
        return "❌ " + _("**In this channel** I can't post results: {problem}", problem=problem)
    return "✅ " + _("**In this channel** I can post results")


def log_lines(now: SetupState) -> str:
    """Return the log channel, what keeps the bot out of it, and what follows if there is none."""
    if now.settings.log_channel_id is None:
        none = f"➖ {_('**Log channel**: none yet')}"
        return lines(none, _skipped(SetupStep.LOG, skipped=True))
    channel = f"<#{now.settings.log_channel_id}>"
    if now.log_trouble:
        # Translators: trouble is why I can't post there, in lower case
        trouble = _("**Log channel** {channel}: {trouble}.", channel=channel, trouble=now.log_trouble)
        return f"⚠️ {trouble}"
    if now.log_is_public:
        return "⚠️ " + sentences(_("**Log channel**: {channel}.", channel=channel), EVERYONE_READS)
    return "✅ " + _("**Log channel**: {channel}", channel=channel)


def requests_line(server: GuildSettings) -> str:
    """Return where members' requests for more credits go."""
    if server.requests_in_place:
        return f"✅ {REQUESTS_IN_PLACE}"
    if server.log_channel_id is None:
        return f"➖ {REQUESTS_WITHOUT_LOG}"
    return f"✅ {_('**Requests for credits** go to the log channel')}"


def _photos_line(now: SetupState) -> str:
    if not now.reads_messages:
        return f"➖ {INTENT_OFF}"
    if now.serves_photos:
        return f"✅ {_('**Reactions or photo channels** are on')}"
    return f"➖ {_('**Reactions and photo channels** are off')}"


def _panel_line(now: SetupState) -> str:
    if now.budget.settings.has_panel:
        return f"✅ {_('**Panel**: posted')}"
    return f"➖ {_('**Panel**: none yet')}"
