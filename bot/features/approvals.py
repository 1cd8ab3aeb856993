"""Change which requests and results of a server wait for a moderator's approval."""

from sqlalchemy.orm import Session

from bot.catalog import Tool
from bot.errors import Refused
from bot.languages import lazy
from bot.servers import access
from bot.servers.access import AccessList, ApprovalRules

NOT_WAITING = lazy(
    "That role or tool isn't on the list. `/studii approval` shows the list. Nothing was changed."
)
NO_CHANNEL = lazy("Set a channel first, with `/studii approval channel:`. Nothing was changed.")


def change(
    session: Session,
    guild_id: int,
    *,
    channel_id: int | None = None,
    everyone: bool | None = None,
    role_id: int | None = None,
    tool: Tool | None = None,
    approver_role: int | None = None,
    results: bool | None = None,
    remove: bool = False,
) -> ApprovalRules:
    """Change the rules, and return them. None leaves a rule as it is. With `remove`, the role and the tool
    are removed from the lists.

    Raises `Refused` if there would be no channel, or if one to remove isn't on its list.
    """
    given = {
        "approval_channel": channel_id,
        "approval_everyone": everyone,
        "approval_results": results,
    }
    changed: dict[str, int | None] = {name: value for name, value in given.items() if value is not None}
    if approver_role is not None:
        # The role that everyone has: back to the permission.
        changed["approver_role"] = None if approver_role == guild_id else approver_role
    if changed:
        access.change(session, guild_id, **changed)
    entries: list[tuple[AccessList, int, str]] = []
    if role_id is not None:
        entries.append((AccessList.APPROVAL_ROLE, role_id, ""))
    if tool is not None:
        entries.append((AccessList.APPROVAL_TOOL, 0, tool.slug))
    for which, subject, target in entries:
        if not remove:
            access.add(session, guild_id, which, subject, target)
        elif not access.remove(session, guild_id, which, subject, target):
            raise Refused(NOT_WAITING)
    rules = access.approvals(session, guild_id)
    if rules.channel_id is None:
        raise Refused(NO_CHANNEL)
    return rules


def turn_off(session: Session, guild_id: int) -> ApprovalRules:
    """Let nothing wait for approval any more. What waits already can still be decided on."""
    nothing = dict.fromkeys(("approval_channel", "approval_everyone", "approver_role", "approval_results"))
    access.change(session, guild_id, **nothing)
    access.forget_approval_lists(session, guild_id)
    return access.approvals(session, guild_id)
