"""The panel of `/studii approval`."""

from bot.jobs.models import APPROVAL_HOURS, KEPT_DAYS
from bot.languages import and_list, gettext as _, lazy, nlazy
from bot.servers.access import ApprovalRules
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, lines, small

MAX_LISTED_NAMES = 20  # names in a row
APPROVAL_OFF = lazy(
    "Nothing waits for approval. Set a channel for requests with `/studii approval channel:`, and choose "
    "whose requests wait there."
)
HOW_APPROVAL_WORKS = nlazy(
    "Requests reserve credits, and nothing is sent to Studii before it's approved. "
    "Members with Manage Server need no approval, and no one decides on their own "
    "request. After {count} hour a request ends at no cost.",
    "Requests reserve credits, and nothing is sent to Studii before it's approved. "
    "Members with Manage Server need no approval, and no one decides on their own "
    "request. After {count} hours a request ends at no cost.",
    APPROVAL_HOURS,
)
RESULTS = nlazy(
    "Their results wait too, before they are posted. A result costs its credits even if it isn't posted; it "
    "then stays in the moderators' `/jobs` for {count} day.",
    "Their results wait too, before they are posted. A result costs its credits even if it isn't posted; it "
    "then stays in the moderators' `/jobs` for {count} days.",
    KEPT_DAYS,
)
PRIVATE_REQUESTS = lazy(
    "Private jobs wait too, and moderators see them: the bot tells their members before they start."
)
EVERYONE_READS_APPROVALS = lazy(
    "Everyone can read that channel, and private jobs are shown there too. Make it private, or set "
    "another with `channel:`."
)
WAITING = nlazy(
    "Requests and results that are in the channel already can be decided on for {count} hour.",
    "Requests and results that are in the channel already can be decided on for {count} hours.",
    APPROVAL_HOURS,
)


def approval_panel(rules: ApprovalRules, names: ToolNames, *, public: bool) -> Panel:
    """Return whose requests wait for approval, where, and who decides. `public`: everyone can read there."""
    if rules.channel_id is None:
        off = lines(f"### 🛂 {_('Approval is off')}", APPROVAL_OFF)
        return boxed(NEUTRAL, off, lines(small(HOW_APPROVAL_WORKS), small(WAITING)))
    channel = _("Requests are posted in {channel}.", channel=f"<#{rules.channel_id}>")
    return boxed(
        NEUTRAL,
        lines(
            f"### 🛂 {_('Approval is on')}",
            channel,
            f"⚠️ {EVERYONE_READS_APPROVALS}" if public else "",
            *_who_waits(rules, names),
            RESULTS if rules.results else "",
            _who_decides(rules),
        ),
        small(PRIVATE_REQUESTS),
        small(HOW_APPROVAL_WORKS),
    )


def _who_waits(rules: ApprovalRules, names: ToolNames) -> list[str]:
    if rules.everyone:
        return [_("Everyone's requests wait.")]
    roles = [f"<@&{one}>" for one in sorted(rules.roles)[:MAX_LISTED_NAMES]]
    tools = [names.title(one) for one in sorted(rules.tools)[:MAX_LISTED_NAMES]]
    if not roles and not tools:
        return [_("Requests wait only if the word filter sends them here (`/studii words add`).")]
    return [
        _("Requests from {roles} wait.", roles=and_list(roles)) if roles else "",
        _("Requests for {tools} wait.", tools=and_list(tools)) if tools else "",
    ]


def _who_decides(rules: ApprovalRules) -> str:
    if rules.approver_role is None:
        return _("Members with Manage Messages in that channel decide.")
    return _("Members with {role} or Manage Server decide.", role=f"<@&{rules.approver_role}>")
