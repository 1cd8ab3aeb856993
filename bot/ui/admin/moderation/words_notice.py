"""Show moderators a request that a word rule refused."""

from collections.abc import Mapping

from bot.features.words import MAX_RULE_CHARACTERS
from bot.languages import gettext as _
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import small
from bot.ui.kit.text import plain

_MAX_QUOTE_CHARACTERS = 1000


def refused_words(details: Mapping[str, str | int | None], names: ToolNames) -> list[str]:
    """Return the notice's lines. What was refused is behind a spoiler, not to be read by chance."""
    tool, channel = names.title(str(details.get("tool"))), f"<#{details.get('channel')}>"
    until, change = details.get("until"), ""
    if details.get("preset"):
        title = _("The word filter refuses a photo tool")
        said = _(
            "**{tool}** doesn't start on photos in {channel}, because of the words that an admin set it up "
            "with.",
            tool=tool,
            channel=channel,
        )
        change = _("Change them with `/studii photos`, or remove the rule with `/studii moderation`.")
    else:
        title, member = _("The word filter refused a request"), f"<@{details.get('user')}>"
        said = _("{member} asked for **{tool}** in {channel}.", member=member, tool=tool, channel=channel)
    paused = ""
    if until:
        paused = _(
            "They can't start jobs until {when}. `/studii moderation` ends this.", when=f"<t:{until}:f>"
        )
    rule = _("Rule: {rule}", rule=f"||{plain(str(details.get('rule')), MAX_RULE_CHARACTERS)}||")
    uncharged = _("Nothing was charged.")
    return [f"### 🚫 {title}", said, _quoted(details), paused, change, small(f"{rule} · {uncharged}")]


def _quoted(details: Mapping[str, str | int | None]) -> str:
    text = details.get("text")
    if text is None:
        return _("It isn't shown here, because it was asked for in an age-restricted channel.")
    return f"> ||{plain(str(text), _MAX_QUOTE_CHARACTERS) or '…'}||"
