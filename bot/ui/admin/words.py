"""The panel of `/studii words`: the rules about words, and what a new one would catch."""

from collections.abc import Sequence

from bot.domain.limits import WordPause
from bot.domain.words import MAX_WORD_RULES, WordEffect, WordRule
from bot.services import AddedRule, count_words, job_words
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, box, lines, small
from bot.ui.kit.text import plain

MAX_RULES_CHARACTERS = 3000  # for the rules, of the 4,000 of a message
_HOW = small(
    "A rule is a word or a phrase; `*` is any part of a word. Case, accents and look-alike letters don't "
    "matter. Rules apply to prompts, other inputs and the presets of photo channels."
)
_UNLOGGED = (
    "⚠️ There's no log channel, so moderators don't see refused requests. Choose one with `/studii log`."
)
_NONE = "There are no word rules. `/studii words add` makes one."


def words_panel(rules: Sequence[WordRule], pause: WordPause, *, logged: bool) -> Panel:
    """Return the server's rules, and when they pause a member. `logged`: the server has a log channel."""
    counted = small(f"{count_words(len(rules), 'rule', 'rules')} of {MAX_WORD_RULES}") if rules else ""
    refuses = any(rule.effect is WordEffect.REFUSE for rule in rules)
    unlogged = _UNLOGGED if refuses and not logged else ""
    listed = _listed(rules) or _NONE
    return Panel(box(NEUTRAL, "### 🔤 Word rules", listed, counted, unlogged, _pause_words(pause), _HOW))


def _pause_words(pause: WordPause) -> str:
    if not pause.refusals:
        return "Refusals don't pause anyone. `/studii words pause` changes this."
    refusals = count_words(pause.refusals, "refusal", "refusals")
    hours = count_words(pause.hours, "hour", "hours")
    return f"{refusals} within a day pause a member for {hours}. `/studii words pause` changes this."


def rule_added_panel(added: AddedRule, *, logged: bool) -> Panel:
    """Return that the rule was added, with a warning if it would catch very much."""
    waits = added.rule.effect is WordEffect.APPROVE
    then = "wait for a moderator's approval" if waits else "are refused"
    said = f"Requests with {_quoted(added.rule, effect=False)} {then} from now on."
    warnings = _warnings(added)
    undo = small("Remove it with `/studii words remove`.") if warnings else ""
    unlogged = "" if logged or waits else _UNLOGGED
    return Panel(
        box(UNSURE if warnings else GOOD, f"### 🔤 Rule added\n{said}", lines(*warnings), undo, unlogged)
    )


def rule_removed_panel(rule: WordRule) -> Panel:
    """Return that the rule was removed."""
    return Panel(
        box(GOOD, f"### 🔤 Rule removed\nRequests with {_quoted(rule, effect=False)} are allowed again.")
    )


def _warnings(added: AddedRule) -> list[str]:
    made: list[str] = []
    waits = added.rule.effect is WordEffect.APPROVE
    if added.common:
        much = "nearly every prompt waits" if waits else "it will refuse nearly every prompt"
        made.append(f"⚠️ That's one letter or a very common word, so {much}.")
    if added.caught and not added.common:
        recent = job_words(added.recent)
        sign = "⚠️ " if added.catches_much else ""
        did = "held up" if waits else "refused"
        made.append(f"{sign}It would have {did} {added.caught} of the server's last {recent}.")
    if added.suggested:
        values = ", ".join(f"`{value}`" for value in added.suggested[:10])
        does = "holds up" if waits else "refuses"
        made.append(f"⚠️ It also {does} values that the bot itself suggests: {values}.")
    return made


def _listed(rules: Sequence[WordRule]) -> str:
    shown: list[str] = []
    left = MAX_RULES_CHARACTERS
    for number, rule in enumerate(rules):
        word = _quoted(rule)
        if len(word) + 2 > left:
            shown.append(f"and {len(rules) - number} more")
            break
        shown.append(word)
        left -= len(word) + 2
    return ", ".join(shown)


def _quoted(rule: WordRule, *, effect: bool = True) -> str:
    """Return the rule behind a spoiler, as who looks at the list may not want to read it."""
    approval = " (approval)" if effect and rule.effect is WordEffect.APPROVE else ""
    return f"||{plain(rule.words, len(rule.words))}||{approval}"
