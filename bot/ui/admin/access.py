"""The panel of `/studii access`: who may use what, and on whose photos."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.features.wording import discord_timestamp
from bot.languages import Message, and_list, gettext as _, lazy, ngettext, pgettext, plazy, sentences
from bot.servers.access import (
    EVERY_TOOL,
    AccessRules,
    Block,
    Permit,
    PhotoScope,
    Restriction,
    ToolRule,
    block_words,
)
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import NEUTRAL, UNSURE, Panel, boxed, changed_words, lines, server_line, small
from bot.ui.kit.text import more_words, named_value, plain, sentence

MAX_NAMES_IN_A_ROW = 15
MAX_ACCESS_CHARACTERS = 3600  # of the 4,000 that a message holds
MAX_OPTION_CHARACTERS = 1400  # of these, for all but the tools
LAST_LINE = 30  # characters
DELETED_IN_RULES = lazy(
    "⚠️ A deleted role or channel gives no one access. Open the tool to everyone with "
    "`change`, then set its rules again. For `private` and `extra`, set the roles again."
)
RUNNING_FINISH = lazy("Jobs already started will finish.")
_PHOTOS = {
    PhotoScope.ANYONE: lazy("Photos: **anyone's**"),
    PhotoScope.OWN: lazy("Photos: **your own only (moderators: anyone's)**"),
}
_PORTRAITS = {
    PhotoScope.ANYONE: lazy("Portraits: **anyone's**"),
    PhotoScope.OWN: lazy("Portraits: **your own only (moderators: anyone's)**"),
}
_WHO = {
    Permit.EVERYONE: plazy("who can use an option", "everyone"),
    Permit.MANAGERS: plazy("who can use an option", "Manage Server"),
    Permit.NOBODY: plazy("who can use an option", "no one"),
}


def access_panel(
    rules: AccessRules, names: ToolNames, there: Collection[int] | None, changed: Sequence[str]
) -> Panel:
    """Return all rules of the server, below what was just `changed`.

    `there` has its roles and channels, if known; others were deleted.
    """
    done = changed_words(changed)
    options = _fitting(lambda most: _options(rules, _Mentions(there, most)), MAX_OPTION_CHARACTERS)
    tools = _fitting(
        lambda most: _tools(rules, names, _Mentions(there, most)),
        MAX_ACCESS_CHARACTERS - len(options) - len(done),
    )
    return boxed(
        NEUTRAL,
        f"### 🔐 {pgettext('title', 'Access')}",
        done,
        tools,
        options,
        small(DELETED_IN_RULES if _Mentions(there).gone(rules) else ""),
        small(_("Each member's `/privacy` setting always applies.")),
    )


def blocked_panel(details: Mapping[str, str | int | None], server: str) -> Panel:
    """Return what a member is told when an admin has blocked them: why, and until when."""
    until = details.get("until")
    end = None if until is None else datetime.fromtimestamp(int(until), UTC)
    reason = details.get("reason")
    words = block_words(end, None if reason is None else str(reason))
    said = sentences(sentence(str(words), 1000), RUNNING_FINISH)
    return boxed(UNSURE, lines(said, server_line(server)))


@dataclass(frozen=True, slots=True)
class _Mentions:
    """Mentions of roles, channels and members, at most `most` of a kind. `there` is as in `access_panel`."""

    there: Collection[int] | None
    most: int = MAX_NAMES_IN_A_ROW

    def roles(self, ids: Collection[int]) -> str:
        return self._listed("<@&{}>", _("a deleted role"), ids)

    def channels(self, ids: Collection[int]) -> str:
        return self._listed("<#{}>", _("a deleted channel"), ids)

    def gone(self, rules: AccessRules) -> bool:
        """Return whether a rule names something that was deleted."""
        lists = [ids for rule in rules.tools.values() for ids in (rule.roles, rule.channels)]
        named = frozenset[int]().union(*lists, rules.private.roles, rules.extra.roles)
        return self.there is not None and not named <= frozenset(self.there)

    def _listed(self, form: str, deleted: str, ids: Collection[int]) -> str:
        known = [one for one in sorted(ids) if self.there is None or one in self.there]
        gone = [deleted] * (len(ids) - len(known))
        return _joined([*map(form.format, known), *gone], self.most)


def _joined(named: Sequence[str], most: int) -> str:
    left = len(named) - most
    more = [ngettext("{count} more", "{count} more", left)] if left > 0 else []
    return and_list([*named[:most], *more])


def _fitting(worded: Callable[[int], list[str]], room: int) -> str:
    """Return the lines with as many names in each as fit; if there are too many lines, the first ones."""
    for most in (MAX_NAMES_IN_A_ROW, 8, 4, 2, 1):
        written = worded(most)
        if len(lines(*written)) <= room:
            return lines(*written)
    shown = written
    while len(lines(*shown)) > room - LAST_LINE:
        shown = shown[:-1]
    left = len(written) - len(shown)
    return lines(*shown, more_words(left))


def _options(rules: AccessRules, mentions: _Mentions) -> list[str]:
    return [
        str(_PHOTOS[rules.photos]),
        str(_PORTRAITS[rules.portraits]),
        named_value("`private`", f"**{_who(rules.private, mentions)}**"),
        named_value("`extra`", f"**{_who(rules.extra, mentions)}**"),
        *_blocked(rules.blocked, mentions.most),
    ]


def _blocked(blocked: Mapping[int, Block], most: int) -> list[str]:
    """Return a line for each member who can't start jobs: until when, and why."""
    if not blocked:
        return [_("No one is blocked.")]
    shown = [_block(user_id, block) for user_id, block in sorted(blocked.items())[:most]]
    left = len(blocked) - len(shown)
    more = more_words(left)
    return [_("Blocked:"), *shown, *([f"- {more}"] if left else [])]


def _block(user_id: int, block: Block) -> str:
    member = f"<@{user_id}>"
    until = None if block.until is None else discord_timestamp(block.until, "f")
    if until is None:
        said = member
    elif block.automatic:
        said = _("{member} until {when}, after many refusals by the word filter", member=member, when=until)
    else:
        said = _("{member} until {when}", member=member, when=until)
    return f"- {named_value(said, plain(block.reason, 200)) if block.reason else said}"


def _tools(rules: AccessRules, names: ToolNames, mentions: _Mentions) -> list[str]:
    if not rules.tools:
        return [_("Every tool: **everyone, everywhere**")]
    shown: list[str] = []
    for slug, its in rules.tools.items():
        tool = _("Every tool") if slug == EVERY_TOOL else names.title(slug)
        roles, channels = mentions.roles(its.roles), mentions.channels(its.channels)
        shown.append(str(_rule_line(its).using(tool=tool, roles=roles, channels=channels)))
    return shown


def _rule_line(its: ToolRule) -> Message:
    if its.roles and its.channels:
        return lazy("{tool}: **{roles}**, in {channels}")
    if its.roles:
        return lazy("{tool}: **{roles}**, everywhere")
    return lazy("{tool}: **everyone**, in {channels}")


def _who(restriction: Restriction, mentions: _Mentions) -> str:
    if not restriction.roles or restriction.permit is Permit.EVERYONE:
        return str(_WHO[restriction.permit])
    roles = mentions.roles(restriction.roles)
    if restriction.permit is Permit.NOBODY:
        return roles
    return _("Manage Server, {roles}", roles=roles)
