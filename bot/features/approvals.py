"""Change which requests and results of a server wait for a moderator's approval."""

from typing import Any

from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.languages import lazy
from bot.servers import access
from bot.servers.access import AccessList, ApprovalRules

_COLUMNS = {
    "channel_id": "approval_channel",
    "everyone": "approval_everyone",
    "approver_role": "approver_role",
    "results": "approval_results",
}


def change(session: Session, guild_id: int, **values: Any) -> ApprovalRules:
    """Change some of the rules by their names in `ApprovalRules`, and return them all.

    Without a channel (None) nothing waits any more, and the other rules are forgotten; what waits already can
    still be decided on. Raises `Refused` for other rules while there is no channel.
    """
    if values.get("channel_id", 0) is None:
        values = {"roles": (), "tools": (), **dict.fromkeys(_COLUMNS)}
    elif "channel_id" not in values and access.approvals(session, guild_id).channel_id is None:
        raise Refused(lazy("Set a channel first. Nothing was changed."))
    if values.get("approver_role") == guild_id:
        values["approver_role"] = None  # the role that everyone has: back to the permission
    if "roles" in values:
        access.set_list(session, guild_id, AccessList.APPROVAL_ROLE, values.pop("roles"))
    if "tools" in values:
        access.set_approval_tools(session, guild_id, values.pop("tools"))
    if values:
        access.change(session, guild_id, **{_COLUMNS[name]: value for name, value in values.items()})
    return access.approvals(session, guild_id)
