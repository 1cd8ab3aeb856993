"""Servers' access rules, and members who refuse the use of their photos."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import BigInteger, bindparam, delete, select
from sqlalchemy.engine import RowMapping

from bot.domain.access import (
    AccessList,
    AccessRules,
    Block,
    Permit,
    PhotoScope,
    Restriction,
    ToolRule,
    WordPause,
)
from bot.domain.approvals import ApprovalRules
from bot.storage.database.repository import Repository
from bot.storage.schema import access_lists, blocks, photo_refusals, policies


class PolicyChanges(TypedDict, total=False):
    """The rules that are one value each. None restores the default."""

    photos: PhotoScope | None
    portraits: PhotoScope | None
    private_for: Permit | None
    extra_for: Permit | None
    jobs_at_once: int | None
    starts: int | None
    starts_seconds: int | None
    refusals: int | None
    pause_hours: int | None
    approval_channel: int | None
    approver_role: int | None
    approval_everyone: bool | None
    approval_results: bool | None


class Policies(Repository):
    """Access rules, limits and refusals within one transaction."""

    async def access(self, guild_id: int) -> AccessRules:
        """Return the server's access rules, with the defaults for those that are not set."""
        in_guild = {"guild": guild_id}
        rows = (await self._session.execute(_ACCESS_LISTS, in_guild)).mappings().all()
        blocked = (await self._session.execute(_BLOCKS, in_guild)).mappings().all()
        return access_rules_of(rows, await self._row(guild_id), blocked)

    async def word_pause(self, guild_id: int) -> WordPause:
        """Return when word rules pause a member."""
        row, default = await self._row(guild_id), WordPause()
        refusals, hours = row.get("refusals"), row.get("pause_hours")
        return WordPause(default.refusals if refusals is None else refusals, hours or default.hours)

    async def block(self, guild_id: int, user_id: int, block: Block) -> None:
        """Block the member; replace an earlier block."""
        values = {"automatic": block.automatic, "reason": block.reason, "until": block.until}
        await self._session.put(blocks, {"guild_id": guild_id, "user_id": user_id}, values)

    async def unblock(self, guild_id: int, user_id: int) -> bool:
        """End the member's block. Return False if there was none."""
        return await self._session.remove(blocks, {"guild_id": guild_id, "user_id": user_id})

    async def forget_ended_blocks(self, guild_id: int, at: datetime) -> None:
        """Delete the blocks that ended before that time."""
        await self._session.execute(_FORGET_ENDED_BLOCKS, {"guild": guild_id, "at": at})

    async def set(self, guild_id: int, **changes: Unpack[PolicyChanges]) -> None:
        """Set some of the rules that are one value each."""
        await self._session.put(policies, {"guild_id": guild_id}, dict(changes))

    async def list_add(self, guild_id: int, which: AccessList, subject_id: int, target: str = "") -> None:
        row = {"guild_id": guild_id, "list": which, "target": target, "subject_id": subject_id}
        await self._session.put_new(access_lists, row, {})

    async def list_remove(self, guild_id: int, which: AccessList, subject_id: int, target: str) -> bool:
        """Remove an entry. Return False if it was not in the list."""
        row = {"guild_id": guild_id, "list": which, "target": target, "subject_id": subject_id}
        return await self._session.remove(access_lists, row)

    async def list_clear(self, guild_id: int, which: AccessList, target: str = "") -> bool:
        """Remove all entries. Return False if there were none."""
        everyone = {"guild_id": guild_id, "list": which, "target": target}
        return await self._session.remove(access_lists, everyone)

    async def forget_approval_lists(self, guild_id: int) -> None:
        """Remove the roles and tools whose requests wait for approval."""
        kinds = access_lists.c.list.in_([AccessList.APPROVAL_ROLE, AccessList.APPROVAL_TOOL])
        await self._session.execute(delete(access_lists).where(access_lists.c.guild_id == guild_id, kinds))

    async def refuses_photos(self, user_id: int) -> bool:
        return user_id in await self.refusing_photos([user_id])

    async def refusing_photos(self, user_ids: Collection[int]) -> frozenset[int]:
        """Return those of the members who forbid others to use their photos."""
        return frozenset((await self._session.execute(_REFUSING_PHOTOS, {"users": list(user_ids)})).scalars())

    async def refuse_photos(self, user_id: int, at: datetime) -> None:
        await self._session.put(photo_refusals, {"user_id": user_id}, {"at": at})

    async def allow_photos(self, user_id: int) -> None:
        await self._session.remove(photo_refusals, {"user_id": user_id})

    async def _row(self, guild_id: int) -> dict[str, Any]:
        row = await self._one_row(_POLICY, {"guild": guild_id})
        return {} if row is None else dict(row)


def access_rules_of(
    rows: Sequence[RowMapping], row: Mapping[str, Any], blocked: Sequence[RowMapping]
) -> AccessRules:
    """Return the rules that a server's entries in `access_lists` and `blocks`, and its `policies`, make."""
    limits = (AccessList.TOOL_ROLE, AccessList.TOOL_CHANNEL)
    tools = sorted({row["target"] for row in rows if row["list"] in limits})
    default = AccessRules()
    return AccessRules(
        tools={
            tool: ToolRule(_ids(rows, AccessList.TOOL_ROLE, tool), _ids(rows, AccessList.TOOL_CHANNEL, tool))
            for tool in tools
        },
        photos=row.get("photos") or default.photos,
        portraits=row.get("portraits") or default.portraits,
        private=Restriction(
            row.get("private_for") or default.private.permit, _ids(rows, AccessList.PRIVATE_ROLE)
        ),
        extra=Restriction(row.get("extra_for") or default.extra.permit, _ids(rows, AccessList.EXTRA_ROLE)),
        blocked={one["user_id"]: Block(one["reason"], one["until"], one["automatic"]) for one in blocked},
        approval=ApprovalRules(
            channel_id=row.get("approval_channel"),
            everyone=bool(row.get("approval_everyone")),
            roles=_ids(rows, AccessList.APPROVAL_ROLE),
            tools=frozenset(one["target"] for one in rows if one["list"] is AccessList.APPROVAL_TOOL),
            approver_role=row.get("approver_role"),
            results=bool(row.get("approval_results")),
        ),
    )


def _ids(rows: Sequence[RowMapping], which: AccessList, target: str = "") -> frozenset[int]:
    return frozenset(row["subject_id"] for row in rows if row["list"] is which and row["target"] == target)


# Statements, made once (see `Session.execute`).
_GUILD = bindparam("guild", type_=BigInteger)
_ACCESS_LISTS = select(access_lists).where(access_lists.c.guild_id == _GUILD)
_POLICY = select(policies).where(policies.c.guild_id == _GUILD)
_BLOCKS = select(blocks).where(blocks.c.guild_id == _GUILD)
_FORGET_ENDED_BLOCKS = delete(blocks).where(blocks.c.guild_id == _GUILD, blocks.c.until <= bindparam("at"))
_REFUSING_PHOTOS = select(photo_refusals.c.user_id).where(
    photo_refusals.c.user_id.in_(bindparam("users", expanding=True))
)
