"""`/studii moderation`: the word filter, approvals, blocked members, and who can use what, where."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord
from discord import ui

from bot.catalog import Catalog
from bot.features import words
from bot.features.words import (
    MAX_PAUSE_HOURS,
    MAX_REFUSALS,
    MAX_RULE_CHARACTERS,
    MAX_WORD_RULES,
    WordEffect,
    WordRule,
)
from bot.jobs.models import APPROVAL_HOURS, KEPT_DAYS
from bot.languages import (
    Message,
    Worded,
    and_list,
    discord_timestamp,
    gettext as _,
    lazy,
    ngettext,
    nlazy,
    pgettext,
    plazy,
)
from bot.servers import access, settings
from bot.servers.access import (
    EVERY_TOOL,
    MAX_BLOCK_HOURS,
    MAX_BLOCK_REASON_CHARACTERS,
    AccessList,
    AccessRules,
    Block,
)
from bot.servers.settings import GuildSettings, Permit
from bot.ui.kit.forms import labelled, show_form
from bot.ui.kit.layout import (
    Piece,
    button_rows,
    fitting,
    lines,
    more_words,
    named_value,
    plain,
    row,
    shortened,
    some,
)
from bot.ui.panels.controls import Press, admin, button
from bot.ui.panels.settings import (
    MAX_CHOSEN,
    Address,
    Items,
    Now,
    OneOf,
    Pick,
    Scope,
    Setting,
    Topic,
    YesNo,
    a_channel,
    a_number,
    a_role,
    change,
    fill,
    number_in,
    open_panel,
    opens,
    turn_to,
)
from bot.ui.reading.permissions import everyone_reads, ids_there, manages
from bot.ui.settings.results import can_post

MAX_RULES_CHARACTERS = 2400  # for what is listed, of the 4,000 of a message
MAX_BLOCKED_CHARACTERS = 2400
MAX_LIMITS_CHARACTERS = 1200
MAX_NAMES_IN_A_ROW = 8
UNLOGGED = lazy(
    "There's no log channel, so moderators don't see refused requests. Choose one with `/studii setup`."
)
EVERYONE_READS_APPROVALS = lazy(
    "Everyone can read that channel, and private jobs are shown there too. Make it private, or choose "
    "another."
)
RESULTS_WAIT = nlazy(
    "A result costs its credits even if it isn't posted; it then stays in the moderators' `/jobs` for "
    "{count} day.",
    "A result costs its credits even if it isn't posted; it then stays in the moderators' `/jobs` for "
    "{count} days.",
    KEPT_DAYS,
)
WAITING = nlazy(
    "Requests and results that are in the channel already can be decided on for {count} hour.",
    "Requests and results that are in the channel already can be decided on for {count} hours.",
    APPROVAL_HOURS,
)
EFFECTS = {
    WordEffect.REFUSE: lazy("refuse it"),
    WordEffect.APPROVE: lazy("ask moderators for approval"),
}
# Of a rule that was added: whether it sends requests to approval, and whether it was there before.
ADDED_RULE = {
    (False, False): lazy("Requests with {rule} are refused from now on."),
    (True, False): lazy("Requests with {rule} wait for a moderator's approval from now on."),
    (False, True): lazy("This rule exists: requests with {rule} are already refused."),
    (True, True): lazy("This rule exists: requests with {rule} already wait for a moderator's approval."),
}
COMMON = {
    False: lazy("That's one letter or a very common word, so it will refuse nearly every prompt."),
    True: lazy("That's one letter or a very common word, so nearly every prompt waits."),
}
SUGGESTED = {
    False: lazy("It also refuses values that the bot itself suggests: {values}."),
    True: lazy("It also sends values that the bot itself suggests to approval: {values}."),
}
OF_TOOLS = (AccessList.TOOL_ROLE, AccessList.TOOL_CHANNEL)
WHO = {
    Permit.EVERYONE: plazy("who can use an option", "everyone"),
    Permit.MANAGERS: plazy("who can use an option", "Manage Server"),
    Permit.NOBODY: plazy("who can use an option", "no one"),
}


@dataclass(frozen=True, slots=True)
class ModerationRow:
    """Everything that the panels show. `tool` is the tool that one is about."""

    rules: tuple[WordRule, ...]
    settings: GuildSettings
    access: AccessRules
    tool: str


def load(session: Any, scope: Scope) -> ModerationRow:
    return ModerationRow(
        words.rules(session, scope.guild_id),
        settings.of(session, scope.guild_id),
        access.of(session, scope.guild_id, scope.at),
        scope.key or EVERY_TOOL,
    )


# The word filter


def _rule(rule: WordRule, *, effect: bool = True) -> str:
    """Return the rule for those who have opened the list, which they alone see."""
    shown = f"**{plain(rule.words, len(rule.words))}**"
    # Translators: a request with that word waits for approval
    return _("{rule} (approval)", rule=shown) if effect and rule.effect is WordEffect.APPROVE else shown


def _rules(now: Now) -> str:
    rules = now.row.rules
    shown = fitting([_rule(one) for one in rules], MAX_RULES_CHARACTERS, more_words, MAX_WORD_RULES)
    counted = ngettext("{count} rule of {most}", "{count} rules of {most}", len(rules), most=MAX_WORD_RULES)
    refuses = any(one.effect is WordEffect.REFUSE for one in rules)
    return lines(
        counted if rules else _("The word filter is empty."),
        " · ".join(shown),
        f"⚠️ {UNLOGGED}" if refuses and not now.row.settings.log_channel_id else "",
    )


def _rule_fields(_now: Now, _value: Any) -> list[ui.Item[Any]]:
    options = [
        discord.SelectOption(label=str(said), value=one, default=one is WordEffect.REFUSE)
        for one, said in EFFECTS.items()
    ]
    return [
        labelled(
            lazy("Word or phrase"),
            ui.TextInput(custom_id="words", max_length=MAX_RULE_CHARACTERS),
            lazy("One at a time. * is any part of a word, as in paint*"),
        ),
        labelled(lazy("What happens then"), ui.Select(custom_id="then", options=options)),
    ]


def _add_rule(session: Any, scope: Scope, values: Mapping[str, Any]) -> Any:
    added = words.add(session, scope.guild_id, values["words"], WordEffect(values["then"][0]))
    return partial(_added, *added, scope.catalog)


def _added(
    rule: WordRule, before: WordEffect | None, recent: Collection[Mapping[str, str]], catalog: Catalog
) -> str:
    """Return that the rule was added, changed or known, with a warning if it would catch very much."""
    waits, catch = rule.effect is WordEffect.APPROVE, words.catch_of(rule, recent, catalog)
    said = ADDED_RULE[waits, before is rule.effect].using(rule=_rule(rule, effect=False))
    made = [str(said)]
    if catch.common:
        made.append(f"⚠️ {COMMON[waits]}")
    elif catch.caught:
        caught = _would_have_caught(catch, waits=waits)
        made.append(f"⚠️ {caught}" if catch.is_large else caught)
    if catch.suggested:
        values = and_list([f"`{value}`" for value in catch.suggested[:10]])
        made.append(f"⚠️ {SUGGESTED[waits].using(values=values)}")
    return lines(*made)


def _would_have_caught(catch: words.Catch, *, waits: bool) -> str:
    # Translators: caught is a number of these jobs
    if waits:
        return ngettext(
            "It would have sent {caught} of the server's last {count} job to approval.",
            "It would have sent {caught} of the server's last {count} jobs to approval.",
            catch.recent,
            caught=catch.caught,
        )
    return ngettext(
        "It would have refused {caught} of the server's last {count} job.",
        "It would have refused {caught} of the server's last {count} jobs.",
        catch.recent,
        caught=catch.caught,
    )


def _remove_rule(session: Any, scope: Scope, key: str) -> Message:
    removed = words.remove(session, scope.guild_id, key)
    return lazy("Requests with {rule} are allowed again.", rule=_rule(removed, effect=False))


FILTER = Topic(
    "words",
    "🔤",
    lazy("Word filter"),
    load,
    [
        Setting(
            "rules",
            lazy("Word filter"),
            Items(
                _rule_fields,
                _add_rule,
                _remove_rule,
                lambda _catalog, _key, rule: f"||{plain(rule[0], MAX_RULE_CHARACTERS)}||",
                lambda _now, _key, rule: shortened(rule[0], MAX_RULE_CHARACTERS),
            ),
            read=lambda row: {one.key: [one.words, one.effect] for one in row.rules},
            line=_rules,
        ),
        Setting(
            "refusals",
            lazy("Refusals that pause a member"),
            a_number(lazy("Refusals"), 0, MAX_REFUSALS, lambda count: str(count) if count else lazy("never")),
            lazy("How many refusals within a day pause a member; 0: never"),
            read=lambda row: row.settings.refusals,
        ),
        Setting(
            "pause_hours",
            lazy("Length of a pause"),
            a_number(
                lazy("Hours"),
                1,
                MAX_PAUSE_HOURS,
                lambda count: ngettext("{count} hour", "{count} hours", count),
            ),
            read=lambda row: row.settings.pause_hours,
        ),
    ],
    change,
    notes=lambda _now: [
        lazy(
            "A rule is a word or a phrase; `*` is any part of a word. Case, accents and "
            "look-alike letters don't matter. Rules apply to prompts, other inputs and the "
            "presets of photo channels."
        )
    ],
    links=lambda _now: [row(opens(APPROVALS))],
    back="moderation",
)


# Approvals


def _approval_channel(now: Now) -> str:
    rules: AccessRules = now.row.access
    channel_id = rules.settings.approval_channel
    if channel_id is None:
        return _("Nothing waits for approval. Choose a channel where moderators decide.")
    public = everyone_reads(now.guild, channel_id)
    named = rules.ids(AccessList.APPROVAL_ROLE) or rules.targets(AccessList.APPROVAL_TOOL)
    waits = rules.settings.approval_everyone or named
    return lines(
        _("Requests are posted in {channel}.", channel=f"<#{channel_id}>"),
        f"⚠️ {EVERYONE_READS_APPROVALS}" if public else "",
        "" if waits else _("Requests wait only if the word filter sends them here."),
    )


def _approval(name: str, title: Worded, kind: Any, about: Worded = "", **more: Any) -> Setting:
    return Setting(name, title, kind, about, read=lambda row_: getattr(row_.settings, name), **more)


APPROVALS = Topic(
    "approvals",
    "🛂",
    lazy("Approvals"),
    load,
    [
        _approval(
            "approval_channel",
            lazy("Approval channel"),
            a_channel(lazy("off")),
            line=_approval_channel,
            check=can_post,
        ),
        _approval("approval_everyone", lazy("Everyone's requests wait"), YesNo()),
        Setting(
            "roles",
            lazy("Requests of members with these roles wait"),
            a_role(plazy("roles", "none"), several=True),
            read=lambda row_: sorted(row_.access.ids(AccessList.APPROVAL_ROLE)),
        ),
        Setting(
            "tools",
            lazy("Requests for these tools wait"),
            OneOf(
                lambda catalog: {one.slug: one.title for one in catalog.tools.values()},
                several=True,
                none=plazy("tools", "none"),
            ),
            read=lambda row_: row_.access.targets(AccessList.APPROVAL_TOOL),
        ),
        _approval("approval_results", lazy("Their results wait too"), YesNo(), RESULTS_WAIT),
        _approval(
            "approver_role",
            lazy("Who decides"),
            a_role(lazy("members with Manage Messages in that channel")),
            lazy("Members with Manage Server always can."),
        ),
    ],
    lambda session, scope, name, value: access.change_approvals(session, scope.guild_id, **{name: value}),
    notes=lambda now: [
        nlazy(
            "Requests reserve credits, and nothing is sent to Studii before it's approved. "
            "Members with Manage Server need no approval, and no one decides on their own "
            "request. After {count} hour a request ends at no cost.",
            "Requests reserve credits, and nothing is sent to Studii before it's approved. "
            "Members with Manage Server need no approval, and no one decides on their own "
            "request. After {count} hours a request ends at no cost.",
            APPROVAL_HOURS,
        ),
        lazy("Private jobs wait too, and moderators see them: the bot tells their members before they start.")
        if now.row.settings.approval_channel
        else WAITING,
    ],
    back="moderation",
)


# Blocked members


def _block_fields(_now: Now | None, value: Any) -> list[ui.Item[Any]]:
    chosen = [discord.Object(value)] if isinstance(value, int) else []
    return [
        labelled(lazy("Member"), ui.UserSelect(custom_id="member", default_values=chosen)),
        labelled(
            lazy("Reason"),
            ui.TextInput(custom_id="reason", required=False, max_length=MAX_BLOCK_REASON_CHARACTERS),
            lazy("Why you block the member; they read it"),
        ),
        labelled(
            lazy("Hours"),
            ui.TextInput(custom_id="hours", required=False, max_length=6),
            lazy("For how many hours; leave empty to block until you unblock"),
        ),
    ]


def _block(session: Any, scope: Scope, values: Mapping[str, Any]) -> Message:
    member, typed = int(values["member"][0]), (values["hours"] or "").strip()
    hours = number_in(typed, 1, MAX_BLOCK_HOURS) if typed else None
    reason = (values["reason"] or "").strip() or None
    access.block(session, scope.guild_id, member, scope.at, reason=reason, hours=hours)
    return lazy("{member} can't start jobs here any more. They get a direct message.", member=f"<@{member}>")


def _unblock(session: Any, scope: Scope, member: str) -> Message:
    access.unblock(session, scope.guild_id, int(member), scope.at)
    return lazy("{member} can start jobs here again.", member=f"<@{member}>")


def _blocked(block: Block) -> str:
    """Return until when a member can't start jobs, and why."""
    member = f"<@{block.user_id}>"
    until = None if block.until is None else discord_timestamp(block.until, "f")
    if until is None:
        said = member
    elif block.automatic:
        said = _("{member} until {when}, after many refusals by the word filter", member=member, when=until)
    else:
        said = _("{member} until {when}", member=member, when=until)
    return f"- {named_value(said, plain(block.reason, 200)) if block.reason else said}"


def _all_blocked(now: Now) -> str:
    listed = [_blocked(one) for _id, one in sorted(now.row.access.blocked.items())]
    if not listed:
        return _("No one is blocked.")
    return lines(_("Blocked:"), *fitting(listed, MAX_BLOCKED_CHARACTERS, more_words))


async def show_block_form(interaction: discord.Interaction[Any], user_id: int) -> None:
    """Show the form that blocks this member; to people who were let in, the panel with the form."""
    if not manages(interaction):
        await open_panel(interaction, BLOCKED.name)
        return
    custom_id = fill.id(BLOCKED.name, "blocked")
    await show_form(interaction, custom_id, str(BLOCKED.title), *_block_fields(None, user_id))


BLOCKED = Topic(
    "blocked",
    "⛔",
    lazy("Blocked members"),
    load,
    [
        Setting(
            "blocked",
            lazy("Blocked members"),
            Items(
                _block_fields,
                _block,
                _unblock,
                lambda _catalog, member, _block: f"<@{member}>",
                adds=lazy("Block…"),
                removes=lazy("Unblock…"),
                control=ui.UserSelect,
            ),
            read=lambda row: {str(one): str(its.until) for one, its in row.access.blocked.items()},
            line=_all_blocked,
        )
    ],
    back="moderation",
)


# Who can use what


def _limits(now: Now) -> list[str]:
    rules: AccessRules = now.row.access
    if not (tools := rules.targets(*OF_TOOLS)):
        return [_("Every tool: **everyone, everywhere**")]
    listed = [
        _limit(_tool_name(now.catalog, slug), *(rules.ids(one, slug) for one in OF_TOOLS)) for slug in tools
    ]
    return fitting(listed, MAX_LIMITS_CHARACTERS, more_words)


def _limit(tool: str, role_ids: Collection[int], channel_ids: Collection[int]) -> str:
    roles, channels = _mentions("<@&{}>", role_ids), _mentions("<#{}>", channel_ids)
    if role_ids and channel_ids:
        return _("{tool}: **{roles}**, in {channels}", tool=tool, roles=roles, channels=channels)
    if role_ids:
        return _("{tool}: **{roles}**, everywhere", tool=tool, roles=roles)
    return _("{tool}: **everyone**, in {channels}", tool=tool, channels=channels)


def _mentions(form: str, ids: Collection[int]) -> str:
    return some([form.format(one) for one in sorted(ids)], MAX_NAMES_IN_A_ROW)


def _tool_name(catalog: Catalog, slug: str) -> str:
    return _("Every tool") if slug == EVERY_TOOL else catalog.title(slug)


def _access_notes(now: Now) -> Iterable[Worded]:
    rules, there = now.row.access, ids_there(now.interaction)
    restricting = {*OF_TOOLS, AccessList.PRIVATE_ROLE, AccessList.EXTRA_ROLE}
    named = {one for (which, _), ids in rules.lists.items() if which in restricting for one in ids}
    if there is not None and not named <= there:
        yield lazy(
            "⚠️ A deleted role or channel gives no one access. Choose the roles and channels of that rule "
            "again."
        )


def _choose_tool(now: Now) -> list[Piece]:
    ruled = now.row.access.targets(*OF_TOOLS)
    slugs = sorted(now.catalog.tools, key=lambda slug: slug not in ruled)[: MAX_CHOSEN - 1]
    options = [
        discord.SelectOption(label=_tool_name(now.catalog, slug), value=slug) for slug in (EVERY_TOOL, *slugs)
    ]
    placeholder = _("Roles and channels of a tool…")
    custom_id = choose_tool.id("access")
    return [row(ui.Select[Any](custom_id=custom_id, options=options, placeholder=placeholder))]


@button("limits:{at}", who=admin)
async def choose_tool(press: Press, at: Address) -> None:
    """Show the roles and channels of a tool."""
    await turn_to(press, f"tool.{press.values[0]}")


def _option(option: str, about: Worded) -> list[Setting]:
    """Return who can use an option of the tools' commands."""
    which = AccessList(f"{option}_role")
    return [
        Setting(
            f"{option}_for",
            f"`{option}`",
            OneOf(lambda _catalog: WHO),  # pyright: ignore[reportArgumentType]
            about,
            read=lambda row: getattr(row.settings, f"{option}_for"),
            write=lambda session, scope, value: change(session, scope, f"{option}_for", Permit(value)),
        ),
        Setting(
            f"{option}_roles",
            lazy("Roles that can use {option} as well", option=f"`{option}`"),
            a_role(plazy("roles", "none"), several=True),
            read=lambda row: sorted(row.access.ids(which)),
            write=lambda session, scope, roles: access.set_list(session, scope.guild_id, which, roles),
        ),
    ]


ACCESS = Topic(
    "access",
    "🔐",
    plazy("title", "Access"),
    load,
    [
        *_option("private", lazy("Who can get results that only they see")),
        *_option("extra", lazy("Who can send inputs that the bot doesn't know")),
    ],
    about=_limits,
    notes=_access_notes,
    links=_choose_tool,
    back="moderation",
)


def _set_limits(session: Any, scope: Scope, name: str, ids: Collection[int]) -> None:
    which = AccessList.TOOL_ROLE if name == "roles" else AccessList.TOOL_CHANNEL
    access.set_list(session, scope.guild_id, which, ids, scope.key or EVERY_TOOL)


Topic(
    "tool",
    "🔐",
    plazy("title", "Access"),
    load,
    [
        Setting(
            "roles",
            lazy("Roles that can use it"),
            a_role(lazy("everyone"), several=True),
            read=lambda row: sorted(row.access.ids(AccessList.TOOL_ROLE, row.tool)),
        ),
        Setting(
            "channels",
            lazy("Channels where it works"),
            Pick("<#{}>", ui.ChannelSelect, lazy("everywhere"), several=True),
            read=lambda row: sorted(row.access.ids(AccessList.TOOL_CHANNEL, row.tool)),
        ),
    ],
    _set_limits,
    about=lambda now: [f"**{_tool_name(now.catalog, now.row.tool)}**"],
    subject=_tool_name,
    back="access",
)


def _overview(now: Now) -> Iterable[Worded]:
    row_: ModerationRow = now.row
    channel = row_.settings.approval_channel
    yield named_value(f"🔤 {FILTER.title}", _count_of(row_.rules, pgettext("list", "empty")))
    yield named_value(f"🛂 {APPROVALS.title}", _("off") if channel is None else f"<#{channel}>")
    yield named_value(f"⛔ {BLOCKED.title}", _count_of(row_.access.blocked, pgettext("people", "none")))
    for limit in _limits(now):
        yield f"🔐 {limit}"


def _count_of(listed: Collection[Any], none: str) -> str:
    return f"**{len(listed)}**" if listed else none


MODERATION = Topic(
    "moderation",
    "🛡️",
    lazy("Moderation"),
    load,
    about=_overview,
    links=lambda _now: list(button_rows([*map(opens, (FILTER, APPROVALS, BLOCKED, ACCESS))])),
    back="setup",
)
