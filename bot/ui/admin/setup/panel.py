"""`/studii setup`: what is set, what is missing, and the next step, with a button for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import discord
from discord import ui

from bot.domain import Plan, StudiiKey
from bot.errors import Refused
from bot.reasons import Reason
from bot.services import BudgetState, Lowered, Services, discord_timestamp, job_words
from bot.ui.admin.budget_form import BudgetForm
from bot.ui.admin.key_form import KeyForm
from bot.ui.admin.log import log_line, trouble_there
from bot.ui.admin.photos import INTENT_OFF, lacking_words, metadata_line, shut_words
from bot.ui.jobs.rulings import TryAgainButton
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.deferral import deferral_of
from bot.ui.kit.host import Host, done_in_time, host_of
from bot.ui.kit.layout import (
    BAD,
    GOING,
    GOOD,
    NEUTRAL,
    QUIET,
    Panel,
    Piece,
    box,
    lines,
    row,
    rule,
    sentence_panel,
    small,
)
from bot.ui.kit.reasons import reason_words
from bot.ui.kit.responses import answer
from bot.ui.kit.text import plain, sentence
from bot.ui.reading.openers import LET_IN, Opener, ensure_panel_opener
from bot.ui.reading.permissions import hindrance, missing_to_post, server_of

KEYS_AT = "https://studii.tech/app/settings/api-keys"
GREETING = (
    "### 👋 Studii is here\nMembers can make and edit pictures with Studii's tools, on the "
    "server's own Studii key.\n\n**Next:** an admin (Manage Server) types `/studii setup`."
)
KEY_LOST = (
    "### 🔑 Please enter the Studii key again\nThe Studii key of **{server}** can't be read any "
    "more, because this bot's encryption key changed. An admin (Manage Server) can enter it "
    "there with `/studii key`. Waiting jobs will then continue."
)
SURE = (
    "### Remove this server's Studii key?\nI will delete **{key}**. Waiting jobs are cancelled "
    "at no cost. Running jobs will finish and be posted; for them I keep the key, encrypted, "
    "for up to a day. Members can't make anything new until you set another key.\nThe key "
    "stays valid at Studii. If it leaked, revoke it there."
)


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
    log: str  # the line about the log channel
    tools: int


async def setup_panel_for(interaction: discord.Interaction[Any], *, let_in: bool) -> Panel:
    """Return the panel as things are now.

    `let_in`: the server lets the person who opened it run `/studii` without Manage Server.
    """
    guild_id = server_of(interaction)
    host = host_of(interaction)
    key = await host.services.keys.current(guild_id)
    log = await host.services.log_channels.get(guild_id)
    return setup_panel(
        SetupState(
            guild_id=guild_id,
            key=key,
            readable=key is None or await host.services.keys.readable(key),
            lowered=None if key is None else await host.services.keys.lowered(key),
            held=await host.services.keys.held(guild_id),
            budget=await host.services.credits.budget(guild_id),
            missing=missing_to_post(interaction.app_permissions, interaction.channel),
            lacking=await _in_the_way(interaction.guild, guild_id, host),
            reads_messages=host.intents.message_content,
            log=log_line(log, trouble_there(interaction.guild, log)),
            tools=len(host.catalog.tools),
        ),
        let_in=let_in,
    )


async def _in_the_way(guild: discord.Guild | None, guild_id: int, host: Host) -> str:
    photos = host.services.photos
    rules, access = photos.rules(guild_id), await host.services.access.rules(guild_id)
    shut = shut_words(guild, rules, photos.taps(guild_id), access, ToolNames(host.catalog))
    return lines(lacking_words(guild, rules), shut)


def setup_panel(now: SetupState, *, let_in: bool = False) -> Panel:
    def button(what: str, label: str, *, main: bool = False) -> SetupButton:
        return SetupButton(what, label, main=main, let_in=let_in)

    ready = now.key is not None and now.readable and now.held is None and not now.missing
    paused = now.budget.settings.paused
    step = _next_step(now)
    held = now.held is not None and now.readable
    buttons: list[Piece] = [TryAgainButton(now.guild_id, let_in=let_in)] if held else []
    key_label = "Enter key" if now.key is None else "Replace key"
    buttons.append(button("key", key_label, main=step == "key"))
    buttons.append(button("budget", "Set budget", main=step == "budget" and not now.held))
    buttons.append(button("resume" if paused else "pause", "Resume" if paused else "Pause"))
    buttons.append(button("look", "Check again"))
    return Panel(
        box(
            GOING if paused else GOOD if ready else BAD,
            f"### ⚙️ Studii in this server\n{_headline(now, ready=ready, paused=paused)}",
            rule(),
            lines(
                _key_line(now),
                _budget_line(now.budget),
                _permission_line(now),
                _intent_line(now),
                now.lacking,
                metadata_line(keeps=now.budget.settings.keeps_metadata),
                now.log,
            ),
            rule(),
            row(*buttons),
            small("`/studii forget-key` removes the key. Only you can see this."),
        )
    )


def _headline(now: SetupState, *, ready: bool, paused: bool) -> str:
    if paused:
        return "**Paused.** No new jobs start until you resume."
    if not ready:
        return "Not ready yet. Fix what is marked ❌."
    return f"**Ready.** Members type `/` and pick one of {now.tools} tools. `/tools` shows them all."


def _next_step(now: SetupState) -> str:
    if now.key is None or not now.readable:
        return "key"
    return "budget" if now.budget.is_default else ""


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


def _budget_line(budget: BudgetState) -> str:
    if budget.is_default:
        return f"⚠️ **Budget**: {budget.limit_words}, the default; {budget.left_words}"
    return f"✅ **Budget**: {budget.limit_words}; {budget.left_words}"


def _permission_line(now: SetupState) -> str:
    if now.missing:
        return f"❌ **In this channel** I can't post results: {hindrance(list(now.missing))}"
    return "✅ **In this channel** I can post results"


def _intent_line(now: SetupState) -> str:
    if now.reads_messages:
        return "✅ **Reactions and photo channels** are available: `/studii reactions`, `/studii photos`"
    return f"➖ {INTENT_OFF}"


_TEMPLATE = rf"studii:setup:(?P<what>[a-z]+)(?::(?P<key>[0-9]{{1,20}}))?(?P<let>{LET_IN})?"


class SetupButton(LastingButton, template=_TEMPLATE):
    """A step of the setup. `key` is the id of the key that it is about.

    `let_in`: the panel was opened by a person whom the server lets run `/studii` without Manage Server.
    """

    def __init__(
        self, what: str, label: str = "", *, main: bool = False, key: int | None = None, let_in: bool = False
    ) -> None:
        self.what, self.key, self.let_in = what, key, let_in
        style = discord.ButtonStyle.primary if main else discord.ButtonStyle.secondary
        if what == "forget":
            style = discord.ButtonStyle.danger
        which = "" if key is None else f":{key}"
        custom_id = f"studii:setup:{what}{which}{LET_IN if let_in else ''}"
        super().__init__(ui.Button(label=label or what, style=style, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        key = None if match["key"] is None else int(match["key"])
        return cls(match["what"], key=key, let_in=match["let"] is not None)

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        guild_id = ensure_panel_opener(interaction, let_in=self.let_in)
        services = host.services
        match self.what:
            case "key":
                key = await services.keys.current(guild_id)
                await KeyForm(key, Opener.of(interaction)).show(interaction)
            case "budget":
                state, opener = await services.credits.budget(guild_id), Opener.of(interaction)
                await BudgetForm(state.settings.budget, opener).show(interaction)
            case "open":
                await answer(interaction, await setup_panel_for(interaction, let_in=False))
            case "forget":
                await _show(interaction, await _forget_key(interaction, services, guild_id, self.key))
            case "keep":
                await interaction.response.edit_message(view=sentence_panel("The key was kept.", QUIET))
            case _:
                if self.what in {"pause", "resume"}:
                    await done_in_time(
                        interaction, services.servers.pause(guild_id, paused=self.what == "pause")
                    )
                await _show(interaction, await setup_panel_for(interaction, let_in=self.let_in))


def greeting(guild_id: int, *, in_server: bool) -> Panel:
    """Return the first message to a server, posted in it or sent to its owner."""
    opens = SetupButton("open", "Set up", main=True) if in_server else _to_server(guild_id)
    return Panel(box(NEUTRAL, GREETING, row(opens)))


def key_lost(guild: discord.Guild, *, in_server: bool) -> Panel:
    """Return the request to enter the key again, posted in the server or sent to its owner."""
    enters = SetupButton("key", "Enter key", main=True) if in_server else _to_server(guild.id)
    return Panel(box(BAD, KEY_LOST.format(server=plain(guild.name, 100)), row(enters)))


def _to_server(guild_id: int) -> ui.Button[Any]:
    # A button of the bot's would not know the server: it is pressed in a direct message.
    return ui.Button(label="Open server", url=f"https://discord.com/channels/{guild_id}")


def ask_to_forget(key: StudiiKey, *, let_in: bool = False) -> Panel:
    """Return what forgetting the key means, before it is done. `let_in`: as for `setup_panel_for`."""
    forget = SetupButton("forget", "Remove key", key=key.id, let_in=let_in)
    keep = SetupButton("keep", "Keep key", let_in=let_in)
    return Panel(box(BAD, SURE.format(key=key.masked), row(forget, keep)))


async def _show(interaction: discord.Interaction[Any], panel: Panel) -> None:
    """Show the panel in place of the one whose button was pressed, or where its answer was announced."""
    if deferral_of(interaction) is None:
        await interaction.response.edit_message(view=panel)
    else:
        await answer(interaction, panel)


async def _forget_key(
    interaction: discord.Interaction[Any], services: Services, guild_id: int, key_id: int | None
) -> Panel:
    """Do it, and tell what became of the jobs."""
    forgotten = (
        None if key_id is None else await done_in_time(interaction, services.keys.forget(guild_id, key_id))
    )
    if forgotten is None:
        raise Refused("This server has a different key now. `/studii setup` shows it. Nothing was changed.")
    said = (
        f"The key is removed. Cancelled at no cost: {job_words(forgotten.cancelled)}. Still running, and "
        f"posted when done: {job_words(forgotten.running)}. `/studii key` sets a new key."
    )
    return sentence_panel(said, GOOD)
