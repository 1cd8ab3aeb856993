"""The panel of `/studii approval`."""

from bot.domain import KEPT_DAYS
from bot.domain.approvals import APPROVAL_HOURS, ApprovalRules
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import NEUTRAL, Panel, box, lines, small

MAX_LISTED_NAMES = 20  # names in a row
APPROVAL_OFF = (
    "Nothing waits for approval. Set a channel for requests with `/studii approval channel:`, and choose "
    "whose requests wait there."
)
HOW_APPROVAL_WORKS = small(
    "Requests reserve credits, and nothing goes to Studii before. Members with Manage Server need no "
    f"approval, and no one decides on their own request. After {APPROVAL_HOURS} hours a request ends unpaid."
)
RESULTS = (
    "Their results wait too, before they are posted. A result costs its credits even if it isn't posted; it "
    f"then stays in the moderators' `/jobs` for {KEPT_DAYS} days."
)
PRIVATE_REQUESTS = small(
    "Private jobs wait too, and moderators see them: the bot tells their members before they start."
)
EVERYONE_READS_APPROVALS = (
    "⚠️ Everyone can read that channel, and private jobs are shown there too. Make it private, or set "
    "another with `channel:`."
)
WAITING = small(
    f"Requests and results that are in the channel already can be decided on for {APPROVAL_HOURS} hours."
)


def approval_panel(rules: ApprovalRules, names: ToolNames, *, public: bool = False) -> Panel:
    """Return whose requests wait for approval, where, and who decides. `public`: everyone can read there."""
    if rules.channel_id is None:
        return Panel(
            box(NEUTRAL, f"### 🛂 Approval is off\n{APPROVAL_OFF}", lines(HOW_APPROVAL_WORKS, WAITING))
        )
    roles = ", ".join(f"<@&{one}>" for one in sorted(rules.roles)[:MAX_LISTED_NAMES])
    tools = ", ".join(names.title_of(one) for one in sorted(rules.tools)[:MAX_LISTED_NAMES])
    who = [
        "Everyone's requests wait." if rules.everyone else "",
        f"Requests of {roles} wait." if roles and not rules.everyone else "",
        f"Requests for {tools} wait." if tools and not rules.everyone else "",
    ]
    if not any(who):
        who = ["Only requests wait that a word rule sends here (`/studii words add`)."]
    approver = (
        "Members with Manage Messages in that channel"
        if rules.approver_role is None
        else f"Members with <@&{rules.approver_role}> or Manage Server"
    )
    return Panel(
        box(
            NEUTRAL,
            lines(
                "### 🛂 Approval is on",
                f"Requests are posted in <#{rules.channel_id}>.",
                EVERYONE_READS_APPROVALS if public else "",
                *who,
                RESULTS if rules.results else "",
                f"{approver} decide.",
            ),
            PRIVATE_REQUESTS,
            HOW_APPROVAL_WORKS,
        )
    )
