"""What moderators read of a request that a word rule refused."""

from collections.abc import Mapping

from bot.domain.words import MAX_RULE_CHARACTERS
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import small
from bot.ui.kit.text import plain

_MAX_QUOTE_CHARACTERS = 1000
_HIDDEN = "It isn't shown here, because it was asked for in an age-restricted channel."
_PRESET = "**{tool}** doesn't start on photos in {place}, because of the words that an admin set it up with."
_CHANGE = "Change them with `/studii photos` or `/studii reactions`, or remove the rule with `/studii words`."


def refused_words(details: Mapping[str, str | int | None], names: ToolNames) -> list[str]:
    """Return the notice's lines. What was refused is behind a spoiler, not to be read by chance."""
    title, place = names.title_of(str(details.get("tool"))), f"<#{details.get('channel')}>"
    user, text, until = details.get("user"), details.get("text"), details.get("until")
    preset = bool(details.get("preset"))
    return [
        "### 🚫 A word rule refuses a photo tool" if preset else "### 🚫 A word rule refused a request",
        _PRESET.format(tool=title, place=place) if preset else f"<@{user}> asked for **{title}** in {place}.",
        _HIDDEN if text is None else f"> ||{plain(str(text), _MAX_QUOTE_CHARACTERS) or '…'}||",
        f"They can't start jobs until <t:{until}:f>. `/studii access` ends this." if until else "",
        _CHANGE if preset else "",
        small(f"Rule: ||{plain(str(details.get('rule')), MAX_RULE_CHARACTERS)}|| · Nothing was charged."),
    ]
