"""`/studii setup`: the steps in their order, each with its control, the key, and what channels show."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import discord
from discord import ui

from bot.credits import budgets, prices
from bot.errors import Refused
from bot.jobs import holds, lanes
from bot.languages import (
    OWN_NAMES,
    Language,
    Message,
    ReaderLanguages,
    discord_timestamp,
    gettext as _,
    lazy,
    ngettext,
    plazy,
    sentences,
    speaking,
    spoken,
)
from bot.reasons import Reason
from bot.servers import access, keys, settings
from bot.servers.access import AccessRules
from bot.servers.key_entry import forget
from bot.servers.keys import Plan, StudiiKey
from bot.servers.settings import GuildSettings
from bot.ui.admin.notices import EVERYONE_READS, post_greeting, try_again
from bot.ui.help import files_of, gallery_of, post_panel
from bot.ui.kit.answers import answer_in_place, host_of, read_before_form, refusal_words, tolerated
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    BAD,
    GOING,
    GOOD,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    lines,
    plain,
    row,
    sentence,
    small,
    text,
)
from bot.ui.kit.reasons import reason_words
from bot.ui.panels.controls import Press, admin, button, manager, marked
from bot.ui.panels.settings import (
    Now,
    OneOf,
    Pick,
    Scope,
    Setting,
    Topic,
    ValueKind,
    YesNo,
    change,
    note_changes,
    open_panel,
    opens,
    show,
    turn_to,
)
from bot.ui.reading.languages import server_language
from bot.ui.reading.permissions import (
    channel_in,
    ensure_can_post_in,
    everyone_reads,
    hindrance,
    missing_for_warnings,
    missing_to_post,
    server_of,
)
from bot.ui.settings.credits import BUDGET, CREDITS
from bot.ui.settings.moderation import MODERATION
from bot.ui.settings.photos import INTENT_OFF, PHOTOS, lacking_words, shut_words
from bot.ui.settings.results import RESULTS, channel_of

PRIMARY = discord.ButtonStyle.primary
ANOTHER_KEY = lazy("This server has a different key now. Nothing was changed.")
AUTOMATIC = "automatic"
PLANS = {
    Plan.PRO: lazy("Pro (60 requests a minute)"),
    Plan.TEAM: lazy("Team (300 requests a minute)"),
    Plan.BUSINESS: lazy("Business (300 requests a minute)"),
}


@dataclass(frozen=True)
class SetupRow:
    """Everything that the database says for the panel."""

    settings: GuildSettings
    key: StudiiKey | None
    access: AccessRules
    budget: budgets.BudgetState
    held: Reason | None  # why Studii accepts no jobs with the key now
    lowered: datetime | None  # fewer requests than the plan says, until then
    least: int  # credits that the cheapest tool costs


@dataclass(frozen=True)
class SetupState(SetupRow):
    """Everything that the panel shows."""

    has_key: bool  # that can be read
    missing: Sequence[Message]  # permissions that the bot lacks in this channel
    lacking: str  # what keeps photos from being served, a line for each channel
    reads_messages: bool  # the message content intent
    log_trouble: str  # why the bot can't post there
    log_is_public: bool
    tools: int
    serves_photos: bool  # reactions are on somewhere, or there is a photo channel

    @property
    def works(self) -> bool:
        """Return whether the key is served, and results can be posted here."""
        return self.has_key and self.held is None and not self.missing

    @property
    def nothing_left(self) -> bool:
        """Return whether the rest of the budget is too small for any job."""
        return self.budget.left < max(1, self.least)


def load(session: Any, scope: Scope) -> SetupRow:
    guild_id, at = scope.guild_id, scope.at
    key = keys.current(session, guild_id)
    return SetupRow(
        settings.of(session, guild_id),
        key,
        access.of(session, guild_id),
        budgets.state(session, guild_id, at),
        holds.why_held(session, guild_id),
        None if key is None else lanes.lowered(session, key.lane, key.plan_chosen_at, at),
        prices.price_table(session, guild_id).least_of_all(scope.catalog),
    )


async def seen_by(interaction: discord.Interaction[Any], row: SetupRow) -> SetupState:
    """Return the state of the server that a panel is about: what the database says, and Discord."""
    host, guild, guild_id = host_of(interaction), interaction.guild, server_of(interaction)
    resources, log = host.resources, row.settings.log_channel_id
    rules, taps = resources.photo_rules.rules(guild_id), resources.photo_rules.taps(guild_id)
    shut = shut_words(guild, rules, taps, row.access, host.catalog)
    return SetupState(
        **vars(row),
        has_key=row.key is not None and resources.vault.opens(row.key.ciphertext),
        missing=missing_to_post(interaction.app_permissions, interaction.channel),
        lacking=lines(lacking_words(guild, rules), shut),
        reads_messages=interaction.client.intents.message_content,
        log_trouble=_log_trouble(guild, log),
        log_is_public=everyone_reads(guild, log),
        tools=len(host.catalog.tools),
        serves_photos=rules.are_on,
    )


def _log_trouble(guild: discord.Guild | None, channel_id: int | None) -> str:
    """Return why the bot can't post in the log channel now; empty if it can, or if there is none."""
    if guild is None or channel_id is None:
        return ""
    channel = channel_in(guild, channel_id)
    if channel is None:
        return _("the channel was deleted, or is an archived thread")
    missing = missing_for_warnings(guild.me, channel)
    return hindrance(missing) if missing else ""


# The steps


@dataclass(frozen=True)
class Step:
    """A step of the setup: whether it is done, how to take it, and what follows if it is skipped."""

    done: Callable[[SetupState], bool]
    next: Message
    skipped: Message


KEY, PERMISSIONS, BUDGET_STEP, LOG, SERVED, POSTED = STEPS = (
    Step(
        lambda now: now.has_key,
        lazy("**Next**: press **Enter key**."),
        lazy("Without a key, no one can start a job."),
    ),
    Step(
        lambda now: not now.missing,
        lazy("**Next**: fix my permissions, or run this in the channel where members make pictures."),
        lazy("Without this, no one can start a job in this channel."),
    ),
    Step(
        lambda now: not now.budget.is_default and not now.nothing_left,
        lazy("**Next**: set a budget."),
        lazy("Without a budget of your own, the default applies to the whole server."),
    ),
    Step(
        lambda now: now.settings.log_channel_id is not None,
        lazy("**Next**: choose a log channel."),
        lazy(
            "Without a log channel, the server's owner gets a DM about the key and unknown outcomes, and no "
            "one is warned when the budget is nearly used."
        ),
    ),
    # Everything works without the last two.
    Step(
        lambda now: now.serves_photos or not now.reads_messages,
        lazy("**Next**, if you like: let emoji under photos run tools, with `/studii photos`."),
        lazy("Without this, taps and photos start nothing. Commands, menus and forms still work."),
    ),
    Step(
        lambda now: now.settings.panel_posted_at is not None,
        lazy("**Next**, if you like: press **Post panel** for buttons that everyone can use, and pin them."),
        lazy("Without a panel, newcomers have to find `/` or `/help` themselves."),
    ),
)


def next_step(now: SetupState) -> Step | None:
    """Return the first step that isn't done. None also while the key is on hold: that is no step."""
    if now.has_key and now.held is not None:
        return None
    return next((step for step in STEPS if not step.done(now)), None)


def colour_of(now: SetupState) -> discord.Colour:
    """Return the panel's colour. It is green only if jobs can start and nothing has to be looked at."""
    if now.settings.paused:
        return GOING
    if not now.works:
        return BAD
    return GOING if now.nothing_left or now.log_is_public else GOOD


def _state_words(now: SetupState) -> str:
    """Return whether members can start jobs."""
    if now.settings.paused:
        return _("**Paused.** No new jobs start until you resume.")
    if not now.works:
        return _("Not ready yet. Fix each line with ❌.")
    if now.nothing_left:
        said = _(
            "**No job can start now.** The cheapest tool costs {price}, and the server has {left}.",
            price=budgets.credit_words(now.least),
            left=now.budget.left_words,
        )
        return sentences(said, now.budget.renewal_words)
    if now.log_is_public:
        return _("**Ready, but everyone can read the log channel.** Fix the line with ⚠️.")
    return ngettext(
        "**Ready.** Members type `/` and pick {count} tool. `/help` explains it.",
        "**Ready.** Members type `/` and pick one of {count} tools. `/help` explains them.",
        now.tools,
    )


def _key_line(now: SetupState) -> str:
    if now.key is None:
        address = "https://studii.tech/app/settings/api-keys"
        return "❌ " + _("**Key**: none yet. Make one in your [Studii account]({address})", address=address)
    if not now.has_key:
        return "❌ " + _(
            "**Key**: can't be read any more, because the bot's encryption key changed. Enter it again."
        )
    plan = _plan_line(now.key.plan, now.lowered)
    if not now.held:
        return lines(f"✅ {_('**Key**: `{key}`', key=now.key.masked)}", plan)
    held = _("**Key**: `{key}`. {why}", key=now.key.masked, why=sentence(reason_words(now.held)))
    return lines(f"❌ {held}", plan)


def _plan_line(plan: Plan, lowered: datetime | None) -> str:
    name, requests = plan.value.capitalize(), plan.requests_per_minute
    if lowered is None:
        return "✅ " + _("**Plan**: {plan}, up to {requests} requests a minute", plan=name, requests=requests)
    refused = _(
        "**Plan**: {plan}, up to {requests} requests a minute, but Studii refused some requests below that.",
        plan=name,
        requests=requests,
    )
    least = Plan.PRO.requests_per_minute
    if least < requests:
        remedy = _(
            "The bot sends at most {limit} a minute, and tries more {when}. If the account "
            "has another plan, choose it with **Replace key**",
            limit=least,
            when=discord_timestamp(lowered, "R"),
        )
    else:
        remedy = _("If something else uses this key, give the bot a key of its own with **Replace key**")
    return f"⚠️ {sentences(refused, remedy)}"


def _permission_line(now: SetupState) -> str:
    if now.missing:
        problem = hindrance(now.missing)
        return "❌ " + _("**In this channel** I can't post results: {problem}", problem=problem)
    return "✅ " + _("**In this channel** I can post results")


def _photos_line(now: SetupState) -> str:
    if not now.reads_messages:
        said = f"➖ {INTENT_OFF}"
    elif now.serves_photos:
        said = f"✅ {_('**Reactions or photo channels** are on')}"
    else:
        said = f"➖ {_('**Reactions and photo channels** are off')}"
    return lines(said, now.lacking)


def _budget_line(panel: Now) -> str:
    """Return the budget, and what follows if none was set."""
    now: SetupState = panel.seen
    words = {"limit": now.budget.limit_words, "left": now.budget.left_words}
    if now.budget.is_default:
        said = _("**Budget**: {limit}, the default; {left}", **words)
        return lines(f"⚠️ {said}", small(BUDGET_STEP.skipped))
    return f"{'⚠️' if now.nothing_left else '✅'} {_('**Budget**: {limit}; {left}', **words)}"


def _log_lines(now: SetupState) -> str:
    """Return the log channel, what keeps the bot out of it, and what follows if there is none."""
    if not LOG.done(now):
        return lines(f"➖ {_('**Log channel**: none yet')}", small(LOG.skipped))
    channel = f"<#{now.settings.log_channel_id}>"
    if now.log_trouble:
        # Translators: trouble is why I can't post there, in lower case
        trouble = _("**Log channel** {channel}: {trouble}.", channel=channel, trouble=now.log_trouble)
        return f"⚠️ {trouble}"
    if now.log_is_public:
        return "⚠️ " + sentences(_("**Log channel**: {channel}.", channel=channel), EVERYONE_READS)
    return "✅ " + _("**Log channel**: {channel}", channel=channel)


def _requests_line(now: Now) -> str:
    """Return where members' requests for more credits go."""
    if now.row.settings.requests_in_place:
        return "✅ " + _(
            "**Requests for credits** go where members ask, with a mention of those with Manage Server"
        )
    if now.row.settings.log_channel_id is None:
        return "➖ " + _(
            "There's no log channel yet, so requests appear there anyway, with a mention of those with "
            "Manage Server"
        )
    return f"✅ {_('**Requests for credits** go to the log channel')}"


async def open_setup(interaction: discord.Interaction[Any]) -> None:
    """Show the panel, and note the language of the admin who has set the server up first."""
    db, guild_id = host_of(interaction).resources.db, server_of(interaction)
    if (await db.read(settings.of, guild_id)).admin_language is None:
        await db.write(settings.change, guild_id, admin_language=spoken())
    await open_panel(interaction, SETUP.name)


# The key


@button("setup:key", label=lazy("Enter key"), who=admin)
async def key(press: Press) -> None:
    """Show the form, with the plan of the key that the server has."""
    reading = press.host.resources.db.read(keys.current, server_of(press.interaction))
    current = await read_before_form(press.interaction, reading)
    options = [
        discord.SelectOption(
            label=str(words), value=plan.value, default=current is not None and current.plan is plan
        )
        for plan, words in PLANS.items()
    ]
    await press.ask(
        _("Studii key"),
        labelled(
            lazy("API key"),
            # Untranslated: how keys begin
            ui.TextInput(custom_id="key", placeholder="stu_…", min_length=4, max_length=400),
            # Translators: at most 100 characters
            lazy("From studii.tech/app/settings/api-keys. Stored encrypted, never shown again."),
        ),
        labelled(
            lazy("Plan"),
            ui.Select(custom_id="plan", placeholder=_("Your Studii account's plan"), options=options),
            lazy("Sets the bot's request limit."),
        ),
    )


@key.submitted
async def key_entered(press: Press) -> None:
    """Take a key: the only way in which the bot gets one."""
    guild_id, resources, values = server_of(press.interaction), press.host.resources, press.values
    before = await resources.db.read(keys.current, guild_id)
    try:
        new = await resources.keys.set_key(guild_id, values["key"], Plan(values["plan"][0]))
    except Refused as refusal:  # said in the panel, so that it goes once a key is accepted
        await turn_to(press, SETUP.name, said=[f"❌ {refusal_words(refusal)}"])
        return
    await resources.db.write(note_changes, _scope(press), SETUP, _entry(before), _entry(new))
    plan = _(
        "{plan}, up to {limit} requests a minute",
        plan=new.plan.value.capitalize(),
        limit=new.plan.requests_per_minute,
    )
    await turn_to(press, SETUP.name, said=[f"✅ **{_('The key works')}**: `{new.masked}` · {plan}"])


@button("setup:forget:{key_id}", label=lazy("Remove key"), style=discord.ButtonStyle.danger, who=admin)
async def remove_key(press: Press, key_id: int) -> None:
    """Remove the key, and tell what became of the jobs."""
    cancelled, running = await press.host.resources.db.write(_forget, _scope(press), key_id)
    cancelled_words = ngettext(
        "{count} waiting job was cancelled at no cost.",
        "{count} waiting jobs were cancelled at no cost.",
        cancelled,
    )
    running_words = ngettext(
        "{count} running job will still be posted.",
        "{count} running jobs will still be posted.",
        running,
    )
    said = sentences(
        _("The key is removed."),
        cancelled_words if cancelled else "",
        running_words if running else "",
    )
    await turn_to(press, SETUP.name, said=[f"✅ {said}"])


def _forget(session: Any, scope: Scope, key_id: int) -> tuple[int, int]:
    before = keys.current(session, scope.guild_id)
    forgotten = forget(session, scope.guild_id, key_id, scope.at)
    if forgotten is None:
        raise Refused(ANOTHER_KEY)
    note_changes(session, scope, SETUP, {"key": before and before.masked}, {})
    return forgotten


def _scope(press: Press) -> Scope:
    interaction, host = press.interaction, press.host
    return Scope(server_of(interaction), interaction.user.id, host.clock.now(), host.catalog)


def _entry(key: StudiiKey | None) -> dict[str, str | None]:
    """Return the values of the settings that are entered with a key."""
    return {"key": key and key.masked, "plan": key and key.plan.value.capitalize()}


@button("setup:ask:{key_id}", label=lazy("Remove key…"), who=admin)
async def ask_to_remove(press: Press, key_id: int) -> None:
    """Say what removing the key means, before it is done."""
    current = await press.host.resources.db.read(keys.current, server_of(press.interaction))
    if current is None or current.id != key_id:
        raise Refused(ANOTHER_KEY)
    keep = show.looking(label=lazy("Keep key")).of(SETUP.name, 0)
    title = _("Remove this server's Studii key?")
    sure = lines(
        f"### {title}",
        lazy(
            "I will delete **{key}**. Waiting jobs are cancelled at no cost. Running jobs will "
            "finish and be posted; for them I keep the key, encrypted, for up to a day. Members "
            "can't make anything new until you set another key.\nThe key stays valid at Studii. "
            "If it leaked, revoke it there.",
            key=current.masked,
        ),
    )
    question = boxed(BAD, sure, row(remove_key.of(key_id), keep))
    await answer_in_place(press.interaction, marked(question, let_in=press.let_in))


# The panel


@button("setup:look", label=lazy("Check again"), who=admin)
async def look(press: Press) -> None:
    """Show the panel as things are now."""
    await turn_to(press, SETUP.name)


@button("setup:panel", label=lazy("Post panel"), who=admin)
async def posts_panel(press: Press) -> None:
    """Post buttons for every tool in the channel. A double click posts one panel."""
    interaction = press.interaction
    async with press.host.clicks.once(
        (posts_panel.id(), interaction.user.id, interaction.channel_id)
    ) as first:
        if first:
            said = await post_panel(interaction)
            await turn_to(press, SETUP.name, said=[f"✅ {said}"])


def _steps(now: Now) -> list[Piece]:
    """Return a line for each step that is no setting, what follows if it isn't done, and the buttons."""
    state: SetupState = now.seen
    step = next_step(state)
    look_of_key = {"style": PRIMARY} if step is KEY else {"label": lazy("Replace key")}
    look_of_panel = {"style": PRIMARY} if step is POSTED else {}
    panel_line = f"✅ {_('**Panel**: posted')}" if POSTED.done(state) else f"➖ {_('**Panel**: none yet')}"
    said = (
        (KEY, _key_line(state)),
        (PERMISSIONS, _permission_line(state)),
        (SERVED, _photos_line(state)),
        (POSTED, panel_line),
    )
    waits = [try_again.of(state.settings.guild_id)] if state.has_key and state.held else []
    return [
        text(lines(*(lines(line, "" if one.done(state) else small(one.skipped)) for one, line in said))),
        row(
            key.looking(**look_of_key).of(),
            *waits,
            look.of(),
            posts_panel.looking(**look_of_panel).of(),
        ),
    ]


def _links(now: Now) -> list[Piece]:
    removes = [] if now.row.key is None else [ask_to_remove.of(now.row.key.id)]
    look_of_photos = {"style": PRIMARY} if next_step(now.seen) is SERVED else {}
    photos = opens(PHOTOS, **look_of_photos)
    return [row(opens(CREDITS), photos, opens(RESULTS), opens(MODERATION), *removes)]


async def _can_warn(interaction: discord.Interaction[Any], channel_id: int | None) -> None:
    """Greet the channel that was chosen. Raise `Refused` if the bot can't post warnings there."""
    if channel_id is not None:
        channel = channel_of(interaction, channel_id)
        ensure_can_post_in(channel, warnings=True)
        await post_greeting(interaction, channel)


def _set_log(session: Any, scope: Scope, channel_id: int | None) -> None:
    kept = bool(settings.of(session, scope.guild_id).log_results) and channel_id is not None
    settings.set_log(session, scope.guild_id, channel_id, results=kept, works=channel_id is not None)


def _log_results(session: Any, scope: Scope, on: bool) -> None:
    channel_id = settings.of(session, scope.guild_id).log_channel_id
    if on and channel_id is None:
        raise Refused(lazy("Set a log channel first. Nothing was changed."))
    settings.set_log(session, scope.guild_id, channel_id, results=on)


def _language_line(now: Now) -> str:
    name = OWN_NAMES[server_language(now.row.settings, now.guild)]
    return lines(f"**{_('Language')}**: {name}", _("Results and warnings in channels are in this language."))


def _set_language(session: Any, scope: Scope, value: str) -> None:
    chosen = None if value == AUTOMATIC else Language(value)
    settings.change(session, scope.guild_id, language=chosen)


SETUP = Topic(
    "setup",
    "⚙️",
    lazy("Studii in this server"),
    load,
    [
        Setting("key", lazy("Key"), ValueKind(), read=lambda row_: _entry(row_.key)["key"]),
        Setting("plan", lazy("Plan"), ValueKind(), read=lambda row_: _entry(row_.key)["plan"]),
        replace(BUDGET, line=_budget_line),
        Setting(
            "log_channel",
            lazy("Log channel"),
            Pick("<#{}>", ui.ChannelSelect, plazy("channel", "none")),
            read=lambda row_: row_.settings.log_channel_id,
            write=_set_log,
            line=lambda now: _log_lines(now.seen),
            check=_can_warn,
        ),
        Setting(
            "paused",
            lazy("Pause new jobs"),
            YesNo(),
            lazy("Running jobs will finish."),
            read=lambda row_: row_.settings.paused,
            write=lambda session, scope, on: settings.pause(session, scope.guild_id, scope.at, paused=on),
        ),
        Setting(
            "log_results",
            lazy("Who made what"),
            YesNo(),
            lazy("The log channel also shows who made what, with a link and a button to delete it."),
            read=lambda row_: bool(row_.settings.log_results),
            write=_log_results,
        ),
        Setting(
            "in_place",
            lazy("Show credit requests where members ask"),
            YesNo(),
            _requests_line,
            read=lambda row_: bool(row_.settings.requests_in_place),
            write=lambda session, scope, on: settings.change(session, scope.guild_id, requests_in_place=on),
        ),
        Setting(
            "language",
            lazy("Language"),
            OneOf(
                lambda _catalog: {
                    AUTOMATIC: lazy("Automatic"),
                    **{one.value: OWN_NAMES[one] for one in Language},
                }
            ),
            read=lambda row_: row_.settings.chosen_language or AUTOMATIC,
            write=_set_language,
            line=_language_line,
        ),
    ],
    change,
    about=lambda now: [_state_words(now.seen), step.next if (step := next_step(now.seen)) else ""],
    steps=_steps,
    links=_links,
    colour=lambda now: colour_of(now.seen),
    look=seen_by,
)


# What the bot posts unasked


@button("setup:open", label=lazy("Set up"), style=PRIMARY, who=manager)
async def set_up(press: Press) -> None:
    """Open the panel from the greeting."""
    await open_setup(press.interaction)


def greeting(guild_id: int, *, in_server: bool, pictures: Iterable[str]) -> Panel:
    """Return the first message to a server, posted in it or sent to its owner, with what the tools make."""
    begins = set_up.of() if in_server else _to_server(guild_id)
    pressed = lazy("**Next:** an admin (Manage Server) presses *Set up*.")
    typed = lazy("**Next:** an admin (Manage Server) types `/studii setup` there.")
    return boxed(
        NEUTRAL,
        lines(
            f"### 👋 {_('Studii is here')}",
            lazy("Members can make and edit pictures with Studii's tools, on the server's own Studii key."),
            pressed if in_server else typed,
        ),
        gallery_of(pictures),
        row(begins),
    )


def key_lost(guild: discord.Guild, *, in_server: bool, pictures: Iterable[str]) -> Panel:
    """Return the request to enter the key again, posted in the server or sent to its owner."""
    enters = key.looking(style=PRIMARY).of() if in_server else _to_server(guild.id)
    lost = _(
        "The Studii key of **{server}** can't be read any more, because this bot's "
        "encryption key changed. An admin (Manage Server) can enter it there with `/studii "
        "setup`. Waiting jobs will then continue.",
        server=plain(guild.name, 100),
    )
    return boxed(BAD, lines(f"### 🔑 {_('Please enter the Studii key again')}", lost), row(enters))


def _to_server(guild_id: int) -> ui.Button[Any]:
    # A button of the bot's would not know the server: it is pressed in a direct message.
    return ui.Button(label=_("Open server"), url=f"https://discord.com/channels/{guild_id}")


async def greet(
    client: discord.Client,
    readers: ReaderLanguages,
    guild: discord.Guild,
    message: Callable[..., Panel],
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Post the message with the pictures in the system channel, else send it to the owner.

    `in_server` tells it which, and `pictures` are the names of those that can be sent.
    """
    channel = guild.system_channel
    if channel is not None and guild.me is not None:  # pyright: ignore[reportUnnecessaryComparison]
        may = channel.permissions_for(guild.me)
        if may.view_channel and may.send_messages:
            with tolerated("Server %d could not be greeted in its channel", guild.id):
                shown = pictures if may.attach_files else dict[str, bytes]()
                with speaking(await readers.in_server(guild.id)):
                    panel = message(in_server=True, pictures=shown)
                await channel.send(view=panel, files=files_of(shown))
                return
    if guild.owner_id is None:
        return
    with tolerated("The owner of server %d could not be greeted", guild.id):
        owner = await client.fetch_user(guild.owner_id)
        with speaking(await readers.of_person(owner.id, guild.id)):
            panel = message(in_server=False, pictures=pictures)
        await owner.send(view=panel, files=files_of(pictures))
