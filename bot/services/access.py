"""Check and change a server's access rules, and members' refusals."""

import secrets
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from bot.catalog import Catalog, Tool
from bot.domain import JobRequest
from bot.domain.access import (
    EVERY_TOOL,
    AccessList,
    AccessRequest,
    AccessRules,
    Block,
    MemberContext,
    Permit,
    PhotoScope,
    denial,
)
from bot.errors import NotAllowed, Refused
from bot.features.wording import discord_timestamp, pause_words
from bot.languages import Message, lazy, paragraph
from bot.servers import notices
from bot.servers.notices import NoticeKind
from bot.services.service import ToolService
from bot.storage import Transaction

MAX_BLOCK_REASON_CHARACTERS = 200
MAX_BLOCK_HOURS = 24 * 365
NO_RULE_TO_REMOVE = lazy("{tool} has no rule to remove. Nothing was changed.")
NOT_LISTED = lazy(
    "No rule for {tool} names this role or channel. `/studii access` shows the rules. Nothing was changed."
)


class AccessService(ToolService):
    """Reads, checks and changes access rules."""

    async def denials(self, guild_id: int, user_id: int, context: MemberContext) -> dict[str, str]:
        """Return why the member may not use tools here, by slug, without the tools that they may use."""
        async with self._storage.read() as transaction:
            rules = await transaction.policies.access(guild_id)
        block = rules.block_of(user_id, self._clock.now())
        if block is not None:
            return dict.fromkeys(self._catalog.tools, str(block_words(block, with_reason=False)))
        requests = [_access_request(tool, user_id, None) for tool in self._catalog.tools.values()]
        reasons = {
            request.tool: denial(rules, context, request, author_refuses=False) for request in requests
        }
        return {slug: str(reason) for slug, reason in reasons.items() if reason is not None}

    async def rules(self, guild_id: int) -> AccessRules:
        """Return the server's access rules, without blocks that have ended."""
        async with self._storage.read() as transaction:
            rules = await transaction.policies.access(guild_id)
        at = self._clock.now()
        blocked = {one: block for one, block in rules.blocked.items() if rules.block_of(one, at)}
        return replace(rules, blocked=blocked)

    @asynccontextmanager
    async def change(self, guild_id: int) -> AsyncGenerator["AccessChange", None]:
        """Change rules in one transaction: all changes of the block, or none if it raises `Refused`."""
        async with self._changing() as transaction:
            yield AccessChange(transaction, self._catalog, guild_id, self._clock.now())

    async def refuses_photos(self, user_id: int) -> bool:
        """Return whether the member forbids others to use their photos, in any server."""
        async with self._storage.read() as transaction:
            return await transaction.policies.refuses_photos(user_id)

    async def set_photo_refusal(self, user_id: int, *, refuses: bool) -> None:
        """Set whether others may use the member's photos, in every server."""
        async with self._changing() as transaction:
            if refuses:
                await transaction.policies.refuse_photos(user_id, self._clock.now())
            else:
                await transaction.policies.allow_photos(user_id)


class AccessChange:
    """Changes of access rules within one transaction."""

    def __init__(self, transaction: Transaction, catalog: Catalog, guild_id: int, at: datetime) -> None:
        self._policies = transaction.policies
        self._refusals = transaction.refusals
        self._transaction = transaction
        self._at = at
        self._catalog = catalog
        self._guild_id = guild_id

    async def limit_tool(self, tool: str | None, *, role_id: int | None, channel_id: int | None) -> None:
        """Let a role use the tool (every tool if None), or let it be used in a channel.

        The first role or channel excludes all others. Raises `Refused` for an unknown tool.
        """
        target = self._target(tool)
        if role_id is not None:
            await self._policies.list_add(self._guild_id, AccessList.TOOL_ROLE, role_id, target)
        if channel_id is not None:
            await self._policies.list_add(self._guild_id, AccessList.TOOL_CHANNEL, channel_id, target)

    async def unlimit_tool(
        self, tool: str | None, *, role_id: int | None = None, channel_id: int | None = None
    ) -> None:
        """Remove the role or channel from the tool's list, or without both, all of them.

        Raises `Refused` if that changes nothing.
        """
        target = self._target(tool)
        lists = {AccessList.TOOL_ROLE: role_id, AccessList.TOOL_CHANNEL: channel_id}
        everything = role_id is None and channel_id is None
        changed = False
        for which, subject_id in lists.items():
            if subject_id is not None:
                changed |= await self._policies.list_remove(self._guild_id, which, subject_id, target)
            elif everything:
                changed |= await self._policies.list_clear(self._guild_id, which, target)
        if not changed:
            title = lazy("every tool") if tool is None else self._catalog.get(tool).title
            raise Refused((NO_RULE_TO_REMOVE if everything else NOT_LISTED).using(tool=title))

    async def set_photos(self, *, photos: PhotoScope | None, portraits: PhotoScope | None) -> None:
        """Set whose photos may be used, by ordinary tools and by those that change a person's picture."""
        if photos is not None:
            await self._policies.set(self._guild_id, photos=photos)
        if portraits is not None:
            await self._policies.set(self._guild_id, portraits=portraits)

    async def set_private(self, permit: Permit, roles: Collection[int]) -> None:
        """Set who may use `private`: the people that `permit` names, and these roles."""
        await self._policies.set(self._guild_id, private_for=permit)
        await self._replace(AccessList.PRIVATE_ROLE, roles)

    async def set_extra(self, permit: Permit, roles: Collection[int]) -> None:
        """Set who may use `extra`: the people that `permit` names, and these roles."""
        await self._policies.set(self._guild_id, extra_for=permit)
        await self._replace(AccessList.EXTRA_ROLE, roles)

    async def block(self, user_id: int, *, reason: str | None = None, hours: int | None = None) -> None:
        """Block the member from starting jobs, for some hours or (None) until an admin ends it.

        Running jobs continue. The member is told, with the `reason`.
        """
        await self._policies.forget_ended_blocks(self._guild_id, self._at)
        until = None if hours is None else self._at + timedelta(hours=hours)
        await self._policies.block(self._guild_id, user_id, Block(reason, until))
        details = {
            "user": user_id,
            "reason": reason,
            "until": None if until is None else int(until.timestamp()),
        }
        # Begins with the member, by whom it can be erased.
        key = f"{user_id}:{secrets.token_hex(8)}"
        await self._transaction.run(
            notices.add, self._guild_id, NoticeKind.BLOCKED, key, at=self._at, details=details
        )

    async def unblock(self, user_id: int) -> None:
        """End the member's block or pause. Raises `Refused` if there is none."""
        await self._policies.forget_ended_blocks(self._guild_id, self._at)
        await self._refusals.reset(self._guild_id, user_id)
        if not await self._policies.unblock(self._guild_id, user_id):
            raise Refused(lazy("That member isn't blocked. Nothing was changed."))

    async def _replace(self, which: AccessList, roles: Collection[int]) -> None:
        await self._policies.list_clear(self._guild_id, which)
        for role_id in roles:
            await self._policies.list_add(self._guild_id, which, role_id)

    def _target(self, tool: str | None) -> str:
        return EVERY_TOOL if tool is None else self._catalog.get(tool).slug


def block_words(block: Block, *, with_reason: bool = True) -> Message:
    """Say that a member is blocked or paused: until when, why, and who can end it."""
    if block.automatic and block.until is not None:
        return pause_words(block.until)
    if block.until is None:
        said = lazy("You are blocked from using Studii in this server.")
    else:
        until = discord_timestamp(block.until, "f")
        said = lazy("You are blocked from using Studii in this server until {when}.", when=until)
    reason = lazy("The reason: “{reason}”.", reason=block.reason) if block.reason and with_reason else ""
    return paragraph(said, reason, lazy("An admin can unblock you with `/studii access`."))


def ensure_may(
    rules: AccessRules, request: JobRequest, tool: Tool, at: datetime, *, author_refuses: bool
) -> None:
    """Raise `Refused` if the member is blocked, or if the rules or the photo's author don't allow the job."""
    block = rules.block_of(request.user_id, at)
    if block is not None:
        raise Refused(block_words(block))
    extra = bool(tool.undeclared(request.inputs))
    wanted = _access_request(
        tool, request.user_id, request.photo_author, private=request.private, extra=extra
    )
    reason = denial(rules, request.context, wanted, author_refuses=author_refuses)
    if reason is not None:
        raise NotAllowed(reason)


def _access_request(
    tool: Tool, user_id: int, photo_author: int | None, *, private: bool = False, extra: bool = False
) -> AccessRequest:
    return AccessRequest(user_id, tool.slug, tool.title, tool.portrait, photo_author, private, extra)
