"""The panel of `/studii words`: the rules about words, and what a new one would catch."""

from collections.abc import Sequence

import discord

from bot.features.words import MAX_WORD_RULES, AddedRule, Catch, WordEffect, WordRule
from bot.languages import and_list, gettext as _, ngettext
from bot.servers.access import WordPause
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, boxed, lines, small
from bot.ui.kit.text import more_words, plain

MAX_RULES_CHARACTERS = 3000  # for the rules, of the 4,000 of a message
_DOT = " · "  # rules, in every language


def words_panel(rules: Sequence[WordRule], pause: WordPause, *, logged: bool) -> Panel:
    """Return the server's rules, and when they pause a member. `logged`: the server has a log channel."""
    counted = ""
    if rules:
        counted = ngettext(
            "{count} rule of {most}", "{count} rules of {most}", len(rules), most=MAX_WORD_RULES
        )
    refuses = any(rule.effect is WordEffect.REFUSE for rule in rules)
    unlogged = _unlogged() if refuses and not logged else ""
    listed = _listed(rules) or _("The word filter is empty. `/studii words add` adds a rule.")
    how = _(
        "A rule is a word or a phrase; `*` is any part of a word. Case, accents and look-alike letters don't "
        "matter. Rules apply to prompts, other inputs and the presets of photo channels."
    )
    return boxed(
        NEUTRAL,
        "### 🔤 " + _("Word filter"),
        listed,
        small(counted),
        unlogged,
        _pause_words(pause),
        small(how),
    )


def _unlogged() -> str:
    return "⚠️ " + _(
        "There's no log channel, so moderators don't see refused requests. Choose one with `/studii log`."
    )


def _pause_words(pause: WordPause) -> str:
    if not pause.refusals:
        return _("Refusals don't pause anyone. `/studii words pause` changes this.")
    # Translators: hours is a duration, such as 3 hours
    return ngettext(
        "{count} refusal within a day pauses a member for {hours}. `/studii words pause` changes this.",
        "{count} refusals within a day pause a member for {hours}. `/studii words pause` changes this.",
        pause.refusals,
        hours=ngettext("{count} hour", "{count} hours", pause.hours),
    )


def rule_added_panel(added: AddedRule, catch: Catch, *, logged: bool) -> Panel:
    """Return whether the rule was added, changed or known, with a warning if it would catch very much."""
    waits = added.rule.effect is WordEffect.APPROVE
    title, said, colour = _added_words(added, waits=waits)
    warnings = _warnings(catch, waits=waits)
    undo = small(_("Remove it with `/studii words remove`.")) if warnings else ""
    unlogged = "" if logged or waits else _unlogged()
    return boxed(UNSURE if warnings else colour, f"### 🔤 {title}\n{said}", lines(*warnings), undo, unlogged)


def _added_words(added: AddedRule, *, waits: bool) -> tuple[str, str, discord.Colour]:
    rule, before = _quoted(added.rule, effect=False), added.before
    if before is added.rule.effect:
        if waits:
            said = _(
                "This rule exists: requests with {rule} already wait for a moderator's approval.", rule=rule
            )
        else:
            said = _("This rule exists: requests with {rule} are already refused.", rule=rule)
        return _("Rule unchanged"), said, NEUTRAL
    if waits:
        said = _("Requests with {rule} wait for a moderator's approval from now on.", rule=rule)
    else:
        said = _("Requests with {rule} are refused from now on.", rule=rule)
    return _("Rule added") if before is None else _("Rule changed"), said, GOOD


def rule_removed_panel(rule: WordRule) -> Panel:
    """Return that the rule was removed."""
    said = _("Requests with {rule} are allowed again.", rule=_quoted(rule, effect=False))
    return boxed(GOOD, lines("### 🔤 " + _("Rule removed"), said))


def _warnings(catch: Catch, *, waits: bool) -> list[str]:
    made: list[str] = []
    if catch.common and waits:
        made.append("⚠️ " + _("That's one letter or a very common word, so nearly every prompt waits."))
    elif catch.common:
        made.append(
            "⚠️ " + _("That's one letter or a very common word, so it will refuse nearly every prompt.")
        )
    elif catch.caught:
        said = _would_have_caught(catch, waits=waits)
        made.append(f"⚠️ {said}" if catch.is_large else said)
    if catch.suggested:
        values = and_list([f"`{value}`" for value in catch.suggested[:10]])
        if waits:
            said = _(
                "It also sends values that the bot itself suggests to approval: {values}.", values=values
            )
        else:
            said = _("It also refuses values that the bot itself suggests: {values}.", values=values)
        made.append(f"⚠️ {said}")
    return made


def _would_have_caught(catch: Catch, *, waits: bool) -> str:
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


def _listed(rules: Sequence[WordRule]) -> str:
    shown: list[str] = []
    left = MAX_RULES_CHARACTERS
    for number, rule in enumerate(rules):
        word = _quoted(rule)
        if len(word) + len(_DOT) > left:
            shown.append(more_words(len(rules) - number))
            break
        shown.append(word)
        left -= len(word) + len(_DOT)
    return _DOT.join(shown)


def _quoted(rule: WordRule, *, effect: bool = True) -> str:
    """Return the rule behind a spoiler, as who looks at the list may not want to read it."""
    words = f"||{plain(rule.words, len(rule.words))}||"
    # Translators: a request with that word waits for approval
    return _("{rule} (approval)", rule=words) if effect and rule.effect is WordEffect.APPROVE else words
