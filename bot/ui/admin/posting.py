"""The panel of `/studii channel`: where and how results appear in the server."""

from bot.features.posting import PostingRules
from bot.languages import gettext as _, ngettext
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, boxed, lines, small


def channel_panel(rules: PostingRules, *, changed: bool) -> Panel:
    """Return where and how results appear. `changed`: an admin has just changed that."""
    title = _("Channel settings saved") if changed else _("Channel settings")
    age_restricted = _(
        "Results from age-restricted channels, and those of members who can't see that channel, "
        "are posted in the channel where the command was used."
    )
    elsewhere = rules.results_channel_id is not None
    return boxed(
        GOOD if changed else NEUTRAL,
        f"### 💬 {title}",
        lines(_where(rules), _comparison(rules), _best(rules)),
        small(age_restricted) if elsewhere else "",
    )


def _where(rules: PostingRules) -> str:
    if rules.in_threads:
        return _(
            "**Results**: posted in a thread under the photo, or in the channel if there is no photo. "
            "Change it with `here:True`."
        )
    if rules.results_channel_id is None:
        return _(
            "**Results**: posted in the channel where the command was used. Change it with "
            "`results:` or `threads:True`."
        )
    channel = f"<#{rules.results_channel_id}>"
    return _("**Results**: all posted in {channel}. Change it with `here:True`.", channel=channel)


def _comparison(rules: PostingRules) -> str:
    if rules.splits:
        return _("**Comparison**: the photo before, and a picture that is half before and half after.")
    return _("**Comparison**: the photo before, beside the result. Add a split picture with `compare:split`.")


def _best(rules: PostingRules) -> str:
    if rules.best_channel_id is None:
        return _(
            "**Best of**: off. Choose a channel for results that members star with `best:` and `stars:`."
        )
    return ngettext(
        "**Best of**: ⭐ from {count} member, or from one moderator, shows a result in {channel}, if its "
        "maker agrees. Turn it off with `stars:0`.",
        "**Best of**: ⭐ from {count} members, or from one moderator, shows a result in {channel}, if its "
        "maker agrees. Turn it off with `stars:0`.",
        rules.best_stars,
        channel=f"<#{rules.best_channel_id}>",
    )
