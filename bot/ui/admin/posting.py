"""The panel of `/studii channel`: where and how results appear in the server."""

from bot.domain.posting import PostingRules
from bot.services import count_words
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, box, lines, small

_CARDS_REMOVED = (
    "**Cards**: removed when the result is posted, so each job has one message. Keep them with `cards:keep`."
)
_CARDS_KEPT = "**Cards**: kept. Each result replies to its card. Remove them with `cards:remove`."
_HERE = "**Results**: posted where they are asked for. Change it with `results:` or `threads:True`."
_IN_THREADS = (
    "**Results**: posted in a thread under the photo, or under the card. Change it with `here:True`."
)
_ELSEWHERE = "**Results**: all posted in <#{channel}>. Change it with `here:True`."
_PAIR = "**Comparison**: the photo before, beside the result. Add a split picture with `compare:split`."
_SPLIT = "**Comparison**: the photo before, and a picture that is half before and half after."
_NO_BEST = "**Best of**: off. Choose a channel for results that members star with `best:` and `stars:`."
_BEST = (
    "**Best of**: ⭐ from {stars}, or from one moderator, shows a result in <#{channel}>, if its maker "
    "agrees. Turn it off with `stars:0`."
)
_STAYS = "A card always stays where it has something to say: after a direct message, or an unknown outcome."
_AGE_RESTRICTED = (
    "Results from age-restricted channels, and of members who can't see that channel, stay there."
)


def channel_panel(rules: PostingRules, *, changed: bool = False) -> Panel:
    """Return where and how results appear. `changed`: somebody has just changed that."""
    title = "Channel settings saved" if changed else "Channel settings"
    elsewhere = rules.results_channel_id is not None
    where = _ELSEWHERE.format(channel=rules.results_channel_id) if elsewhere else _HERE
    return Panel(
        box(
            GOOD if changed else NEUTRAL,
            f"### 💬 {title}",
            lines(
                _IN_THREADS if rules.in_threads else where,
                _CARDS_KEPT if rules.keeps_cards else _CARDS_REMOVED,
                _SPLIT if rules.splits else _PAIR,
                _best(rules),
            ),
            lines(small(_STAYS), small(_AGE_RESTRICTED) if elsewhere else ""),
        )
    )


def _best(rules: PostingRules) -> str:
    if rules.best_channel_id is None:
        return _NO_BEST
    stars = count_words(rules.best_stars, "member", "members")
    return _BEST.format(stars=stars, channel=rules.best_channel_id)
