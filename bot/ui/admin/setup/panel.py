"""`/studii setup`: what is set, what is missing, and the next step, with a button for each."""

from re import Match
from typing import Any, Self

import discord
from discord import ui

from bot.credits import budgets, prices
from bot.domain.guilds import ServerLanguage
from bot.errors import Refused
from bot.jobs import holds, lanes
from bot.languages import Worded, gettext as _, lazy, ngettext, plazy, sentences, spoken
from bot.servers import keys, settings, settings as server_settings
from bot.servers.key_entry import forget
from bot.servers.keys import StudiiKey
from bot.servers.settings import LogSettings
from bot.services import Services
from bot.ui.admin.credits.budget_form import BudgetForm
from bot.ui.admin.held_key import TryAgainButton
from bot.ui.admin.key_form import open_key_form
from bot.ui.admin.language import language_line
from bot.ui.admin.log import everyone_reads, trouble_there
from bot.ui.admin.photo_warnings import photo_trouble
from bot.ui.admin.setup.steps import SetupState, SetupStep, colour_of, headline, next_step, step_lines
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, QUIET, Panel, Piece, boxed, lines, row, rule, small
from bot.ui.kit.responses import answer, answer_in_place
from bot.ui.kit.text import plain
from bot.ui.reading.openers import LET_IN, Opener, ensure_panel_opener
from bot.ui.reading.permissions import missing_to_post, server_of

GREETING = lazy(
    "Members can make and edit pictures with Studii's tools, on the server's own Studii key.\n\n**Next:** an "
    "admin (Manage Server) types `/studii setup`."
)
KEY_LOST = lazy(
    "The Studii key of **{server}** can't be read any more, because this bot's encryption key changed. An "
    "admin (Manage Server) can enter it there with `/studii key`. Waiting jobs will then continue."
)
SURE = lazy(
    "I will delete **{key}**. Waiting jobs are cancelled at no cost. Running jobs will finish and be posted; "
    "for them I keep the key, encrypted, for up to a day. Members can't make anything new until you set "
    "another key.\nThe key stays valid at Studii. If it leaked, revoke it there."
)
FORGET_KEY = lazy("`/studii forget-key` removes the key.")
ENTER_KEY = lazy("Enter key")
REPLACE_KEY = lazy("Replace key")
SET_BUDGET = lazy("Set budget")


async def setup_panel_for(interaction: discord.Interaction, *, let_in: bool) -> Panel:
    """Return the panel as things are now.

    `let_in`: the server lets the person who opened it run `/studii` without Manage Server.
    """
    guild_id = server_of(interaction)
    host = host_of(interaction)
    db, now = host.services.db, host.clock.now()
    language = (await db.read(settings.of, guild_id)).language
    if language.of_admin is None:
        await db.write(settings.change, guild_id, admin_language=spoken())
        language = ServerLanguage(language.chosen, spoken())
    key = await db.read(keys.current, guild_id)
    log = await db.read(settings.log_of, guild_id)
    table = await db.read(prices.price_table, guild_id)
    return setup_panel(
        SetupState(
            guild_id=guild_id,
            key=key,
            readable=key is None or host.services.vault.opens(key.ciphertext),
            lowered=None if key is None else await db.read(lanes.lowered, key.lane, key.plan_chosen_at, now),
            held=await db.read(holds.reason_of, guild_id),
            budget=await db.read(budgets.state, guild_id, now),
            missing=missing_to_post(interaction.app_permissions, interaction.channel),
            lacking=await photo_trouble(host.services, interaction.guild, guild_id, ToolNames(host.catalog)),
            reads_messages=host.intents.message_content,
            log=log,
            log_trouble=trouble_there(interaction.guild, log),
            log_is_public=everyone_reads(interaction.guild, log.channel_id),
            tools=len(host.catalog.tools),
            least=table.least_of_all(host.catalog),
            serves_photos=host.services.photo_rules.rules(guild_id).are_on,
            language=language_line(language, interaction.guild),
        ),
        let_in=let_in,
    )


def setup_panel(now: SetupState, *, let_in: bool) -> Panel:
    def button(what: str, label: Worded, *, main: bool = False) -> SetupButton:
        return SetupButton(what, label, main=main, let_in=let_in)

    paused, step = now.budget.settings.paused, next_step(now)
    held = now.held is not None and now.readable
    buttons: list[Piece] = [TryAgainButton(now.guild_id, let_in=let_in)] if held else []
    key_label = ENTER_KEY if step is SetupStep.KEY else REPLACE_KEY
    buttons.append(button("key", key_label, main=step is SetupStep.KEY))
    buttons.append(button("budget", SET_BUDGET, main=step is SetupStep.BUDGET))
    if paused:
        buttons.append(button("resume", plazy("button", "Resume")))
    else:
        buttons.append(button("pause", plazy("button", "Pause")))
    buttons.append(button("look", lazy("Check again")))
    return boxed(
        colour_of(now),
        lines(f"### ⚙️ {_('Studii in this server')}", headline(now)),
        rule(),
        step_lines(now),
        rule(),
        row(*buttons),
        row(button(*_other_place(now.log))),
        small(sentences("" if now.key is None else FORGET_KEY, _("Only you can see this."))),
    )


def _other_place(log: LogSettings) -> tuple[str, Worded]:
    """Return the button that sends requests for credits elsewhere: what it does, and its label."""
    if log.channel_id is None:
        # They go where members ask in any case.
        if log.requests_in_place:
            return "tolog", lazy("Don't mention admins in credit requests")
        return "inplace", lazy("Mention admins in credit requests")
    if log.requests_in_place:
        return "tolog", lazy("Send credit requests to the log channel")
    return "inplace", lazy("Show credit requests where members ask")


_TEMPLATE = rf"studii:setup:(?P<what>[a-z]+)(?::(?P<key>[0-9]{{1,20}}))?(?P<let>{LET_IN})?"


class SetupButton(LastingButton, template=_TEMPLATE):
    """A step of the setup. `key` is the id of the key that it is about.

    `let_in`: the panel was opened by a person whom the server lets run `/studii` without Manage Server.
    """

    def __init__(
        self,
        what: str,
        label: Worded = "",
        *,
        main: bool = False,
        key: int | None = None,
        let_in: bool = False,
    ) -> None:
        self.what, self.key, self.let_in = what, key, let_in
        style = discord.ButtonStyle.primary if main else discord.ButtonStyle.secondary
        if what == "forget":
            style = discord.ButtonStyle.danger
        which = "" if key is None else f":{key}"
        custom_id = f"studii:setup:{what}{which}{LET_IN if let_in else ''}"
        super().__init__(ui.Button(label=str(label or what), style=style, custom_id=custom_id))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        key = None if match["key"] is None else int(match["key"])
        return cls(match["what"], key=key, let_in=match["let"] is not None)

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = ensure_panel_opener(interaction, let_in=self.let_in)
        services = host.services
        match self.what:
            case "key":
                await open_key_form(interaction)
            case "budget":
                reading = services.db.read(budgets.state, guild_id, host.clock.now())
                state = await read_before_form(interaction, reading)
                await BudgetForm(state.settings.budget, Opener.of(interaction)).show(interaction)
            case "open":
                await answer(interaction, await setup_panel_for(interaction, let_in=False))
            case "forget":
                await answer_in_place(interaction, await _forget_key(services, guild_id, self.key))
            case "keep":
                await answer_in_place(interaction, boxed(QUIET, _("The key was kept.")))
            case _:
                if self.what in {"inplace", "tolog"}:
                    in_place = self.what == "inplace"
                    await services.db.write(settings.ask_in_place, guild_id, in_place=in_place)
                if self.what in {"pause", "resume"}:
                    paused, at = self.what == "pause", host_of(interaction).clock.now()
                    await services.db.write(server_settings.pause, guild_id, at, paused=paused)
                await answer_in_place(interaction, await setup_panel_for(interaction, let_in=self.let_in))


def greeting(guild_id: int, *, in_server: bool) -> Panel:
    """Return the first message to a server, posted in it or sent to its owner."""
    opens = SetupButton("open", lazy("Set up"), main=True) if in_server else _to_server(guild_id)
    return boxed(NEUTRAL, lines(f"### 👋 {_('Studii is here')}", GREETING), row(opens))


def key_lost(guild: discord.Guild, *, in_server: bool) -> Panel:
    """Return the request to enter the key again, posted in the server or sent to its owner."""
    enters = SetupButton("key", ENTER_KEY, main=True) if in_server else _to_server(guild.id)
    lost = str(KEY_LOST.using(server=plain(guild.name, 100)))
    return boxed(BAD, lines(f"### 🔑 {_('Please enter the Studii key again')}", lost), row(enters))


def _to_server(guild_id: int) -> ui.Button[Any]:
    # A button of the bot's would not know the server: it is pressed in a direct message.
    return ui.Button(label=_("Open server"), url=f"https://discord.com/channels/{guild_id}")


def ask_to_forget(key: StudiiKey, *, let_in: bool) -> Panel:
    """Return what forgetting the key means, before it is done. `let_in`: as for `setup_panel_for`."""
    forget = SetupButton("forget", lazy("Remove key"), key=key.id, let_in=let_in)
    keep = SetupButton("keep", lazy("Keep key"), let_in=let_in)
    title = _("Remove this server's Studii key?")
    return boxed(BAD, lines(f"### {title}", SURE.using(key=key.masked)), row(forget, keep))


async def _forget_key(services: Services, guild_id: int, key_id: int | None) -> Panel:
    """Do it, and tell what became of the jobs."""
    forgotten = None
    if key_id is not None:
        forgotten = await services.db.write(forget, guild_id, key_id, services.clock.now())
    if forgotten is None:
        raise Refused(
            lazy("This server has a different key now. `/studii setup` shows it. Nothing was changed.")
        )
    cancelled = ngettext(
        "{count} waiting job was cancelled at no cost.",
        "{count} waiting jobs were cancelled at no cost.",
        forgotten.cancelled,
    )
    running = ngettext(
        "{count} running job will still be posted.",
        "{count} running jobs will still be posted.",
        forgotten.running,
    )
    said = sentences(
        _("The key is removed."),
        cancelled if forgotten.cancelled else "",
        running if forgotten.running else "",
        _("`/studii key` sets a new key."),
    )
    return boxed(GOOD, said)
