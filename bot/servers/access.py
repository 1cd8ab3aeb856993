"""Access: servers' rules, blocked members, and members who let no one else use their photos.

Without a rule everything is allowed, unless a default here says otherwise. A denial is a sentence that says
why a request is denied, or None.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import NUMBER, Base, Choice, put
from bot.catalog import Catalog, Tool
from bot.errors import NotAllowed, Refused
from bot.jobs.models import UNKNOWN_MEMBER, JobRequest, MemberContext
from bot.languages import Message, alternatives, discord_timestamp, lazy, nlazy, paragraph
from bot.servers import notices, settings
from bot.servers.settings import GuildSettings, Permit, PhotoScope

EVERY_TOOL = "*"  # in the place of a tool's slug
MAX_BLOCK_REASON_CHARACTERS = 200
MAX_BLOCK_HOURS = 24 * 365
_LISTED = 5  # roles or channels that a sentence names
_APPROVAL_SETTINGS = ("approval_channel", "approval_everyone", "approver_role", "approval_results")

CHANGE = lazy("An admin can change this with `/studii moderation`.")
REFUSES = lazy("The person who posted that photo doesn't want others to use it. Only they can change this.")
UNKNOWN_AUTHOR = lazy(
    "It's not clear who first posted that photo, or whether they let others use "
    "it. If you have the photo, post it here yourself. Nothing was charged."
)


class AccessList(StrEnum):
    """The lists of roles, channels and tools in a server's rules."""

    TOOL_ROLE = "tool_role"
    TOOL_CHANNEL = "tool_channel"
    PRIVATE_ROLE = "private_role"
    EXTRA_ROLE = "extra_role"
    APPROVAL_ROLE = "approval_role"
    APPROVAL_TOOL = "approval_tool"


class AccessEntry(Base):
    """An entry of a server's lists. `target` is the tool's slug, where the list is a tool's."""

    __tablename__ = "access_lists"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    list: Mapped[AccessList] = mapped_column(Choice(AccessList), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Block(Base):
    """Keeps a member from starting jobs until a time, or (None) until an admin ends it.

    `automatic`: refusals by the word filter caused it, and no admin gave a reason.
    """

    __tablename__ = "blocks"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    automatic: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(default=None, repr=False)
    until: Mapped[datetime | None] = mapped_column(default=None)


class CountedRefusal(Base):
    """A request that the word filter refused within the last day. A new row deletes old ones."""

    __tablename__ = "word_refusals"
    __table_args__ = (Index("ix_word_refusals_guild_id_user_id_at", "guild_id", "user_id", "at"),)

    guild_id: Mapped[int]
    user_id: Mapped[int]
    at: Mapped[datetime]
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, default=None)


class PhotoRefusal(Base):
    """A member whose photos only they may use, in any server."""

    __tablename__ = "photo_refusals"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class AccessRules:
    """A server's rules: its settings, the entries of its lists by target, and its blocks by member.

    An empty list of a tool's roles or channels means no restriction; that of `EVERY_TOOL` is for all tools.
    """

    settings: GuildSettings
    lists: Mapping[tuple[AccessList, str], Collection[int]] = field(
        default_factory=dict[tuple[AccessList, str], Collection[int]]
    )
    blocked: Mapping[int, Block] = field(default_factory=dict[int, Block])

    def ids(self, which: AccessList, target: str = "") -> frozenset[int]:
        """Return what is in a list."""
        return frozenset(self.lists.get((which, target), ()))

    def targets(self, *which: AccessList) -> list[str]:
        """Return the tools that have one of these lists, by slug."""
        return sorted({target for one, target in self.lists if one in which})

    @property
    def wants_results(self) -> bool:
        """Return whether results of requests that were approved wait for a second decision now."""
        return self.settings.approval_results and self.settings.approval_channel is not None

    def wants_approval(self, tool: str, member: MemberContext) -> bool:
        """Return whether a request has to be approved: none without a channel in which it is posted.

        Those of members with Manage Server have not.
        """
        if self.settings.approval_channel is None or member.manages:
            return False
        roles, tools = self.ids(AccessList.APPROVAL_ROLE), self.targets(AccessList.APPROVAL_TOOL)
        return self.settings.approval_everyone or tool in tools or not roles.isdisjoint(member.roles)

    def may_approve(self, member: MemberContext) -> bool:
        """Return whether the member may decide on requests and results of others.

        Those with Manage Server may, and those with the approvers' role; without such a role, members with
        Manage Messages in the channel.
        """
        role = self.settings.approver_role
        return member.manages or (member.moderates if role is None else role in member.roles)


def of(session: Session, guild_id: int, at: datetime | None = None) -> AccessRules:
    """Return the server's rules, with the blocks that last at that time, if one is given."""
    return of_servers(session, [settings.of(session, guild_id)], at)[guild_id]


def of_servers(
    session: Session, servers: Collection[GuildSettings], at: datetime | None = None
) -> dict[int, AccessRules]:
    """Return the rules of the servers with these settings, with the blocks that last at that time."""
    blocked: dict[int, dict[int, Block]] = {one.guild_id: {} for one in servers}
    if at is not None:
        lasts = Block.until.is_(None) | (Block.until > at)
        for block in session.scalars(select(Block).where(Block.guild_id.in_(blocked), lasts)):
            blocked[block.guild_id][block.user_id] = block
    lists = {one: defaultdict[tuple[AccessList, str], set[int]](set) for one in blocked}
    for one in session.scalars(select(AccessEntry).where(AccessEntry.guild_id.in_(blocked))):
        lists[one.guild_id][one.list, one.target].add(one.subject_id)
    return {one.guild_id: AccessRules(one, lists[one.guild_id], blocked[one.guild_id]) for one in servers}


def add(session: Session, guild_id: int, which: AccessList, subject_id: int, target: str = "") -> None:
    """Add an entry to a list. It may be there already."""
    put(
        session,
        AccessEntry,
        {"guild_id": guild_id, "list": which, "target": target, "subject_id": subject_id},
        replace=False,
    )


def set_list(
    session: Session, guild_id: int, which: AccessList, subjects: Collection[int], target: str = ""
) -> None:
    """Set the entries of a target's list."""
    session.execute(delete(AccessEntry).filter_by(guild_id=guild_id, list=which, target=target))
    for subject_id in subjects:
        add(session, guild_id, which, subject_id, target)


def change_approvals(session: Session, guild_id: int, **values: Any) -> None:
    """Change some of the rules about approvals: those of the settings, `roles` and `tools`.

    Without a channel (None) nothing waits any more, and the other rules are forgotten; what waits already can
    still be decided on. Raises `Refused` for other rules while there is no channel.
    """
    if values.get("approval_channel", 0) is None:
        values = {"roles": (), "tools": (), **dict.fromkeys(_APPROVAL_SETTINGS)}
    elif "approval_channel" not in values and settings.of(session, guild_id).approval_channel is None:
        raise Refused(lazy("Set a channel first. Nothing was changed."))
    if values.get("approver_role") == guild_id:
        values["approver_role"] = None  # the role that everyone has: back to the permission
    if "roles" in values:
        set_list(session, guild_id, AccessList.APPROVAL_ROLE, values.pop("roles"))
    if "tools" in values:
        session.execute(delete(AccessEntry).filter_by(guild_id=guild_id, list=AccessList.APPROVAL_TOOL))
        for slug in values.pop("tools"):
            add(session, guild_id, AccessList.APPROVAL_TOOL, 0, slug)
    if values:
        settings.change(session, guild_id, **values)


def block(
    session: Session,
    guild_id: int,
    user_id: int,
    at: datetime,
    *,
    reason: str | None = None,
    hours: int | None = None,
) -> None:
    """Block the member from starting jobs, for some hours or (None) until an admin ends it.

    Running jobs continue. The member is told, with the `reason`.
    """
    until = None if hours is None else at + timedelta(hours=hours)
    _block(session, guild_id, user_id, reason=reason, until=until)
    posts.want(
        session,
        guild_id,
        notices.NoticeKind.BLOCKED,
        f"{user_id}:{secrets.token_hex(8)}",  # begins with the member, by whom it can be erased
        at=at,
        details={
            "user": user_id,
            "reason": reason,
            "until": None if until is None else int(until.timestamp()),
        },
    )


def unblock(session: Session, guild_id: int, user_id: int, at: datetime) -> None:
    """End the member's block or pause. Raises `Refused` if there is none."""
    session.execute(delete(CountedRefusal).filter_by(guild_id=guild_id, user_id=user_id))
    there = session.get(Block, (guild_id, user_id))
    if there is None or (there.until is not None and there.until <= at):
        raise Refused(lazy("That member isn't blocked. Nothing was changed."))
    session.delete(there)


def count_refusal(
    session: Session, guild_id: int, user_id: int, at: datetime, *, manages: bool
) -> Block | None:
    """Count a refusal by the word filter. Return the pause of the member if it is one too many.

    Those with Manage Server are not paused.
    """
    # Times in the future mean that the clock was set back. They do not count.
    old = (CountedRefusal.at <= at - timedelta(days=1)) | (CountedRefusal.at > at)
    session.execute(delete(CountedRefusal).where(old))
    session.add(CountedRefusal(guild_id, user_id, at))
    theirs = select(func.count()).select_from(CountedRefusal).filter_by(guild_id=guild_id, user_id=user_id)
    count, rule = session.scalars(theirs).one(), settings.of(session, guild_id)
    if manages or not rule.refusals or count < rule.refusals:
        return None
    session.execute(delete(CountedRefusal).filter_by(guild_id=guild_id, user_id=user_id))
    return _block(session, guild_id, user_id, automatic=True, until=at + timedelta(hours=rule.pause_hours))


def _block(session: Session, guild_id: int, user_id: int, **values: Any) -> Block:
    new = Block(guild_id, user_id, **values)
    key = {"guild_id": guild_id, "user_id": user_id}
    put(session, Block, key, automatic=new.automatic, reason=new.reason, until=new.until)
    return new


def block_words(until: datetime | None, reason: str | None = None, *, automatic: bool = False) -> Message:
    """Say that a member is blocked or paused: until when, why, and who can end it."""
    if automatic and until is not None:
        return pause_words(until)
    if until is None:
        said = lazy("You are blocked from using Studii in this server.")
    else:
        said = lazy(
            "You are blocked from using Studii in this server until {when}.",
            when=discord_timestamp(until, "f"),
        )
    because = lazy("The reason: “{reason}”.", reason=reason) if reason else ""
    return paragraph(said, because, lazy("An admin can unblock you with `/studii moderation`."))


def pause_words(until: datetime) -> Message:
    """Say until when a member is paused, and why."""
    return lazy(
        "You can't start jobs here until {when}, because the word filter refused many of your "
        "requests. An admin can end this with `/studii moderation`.",
        when=discord_timestamp(until, "f"),
    )


def refusing_photos(session: Session, user_ids: Collection[int]) -> frozenset[int]:
    """Return those of the members who forbid others to use their photos, in any server."""
    return frozenset(session.scalars(select(PhotoRefusal.user_id).where(PhotoRefusal.user_id.in_(user_ids))))


def refuse_photos(session: Session, user_id: int, at: datetime, *, refuses: bool) -> None:
    """Set whether the member forbids others to use their photos, in any server."""
    if refuses:
        put(session, PhotoRefusal, {"user_id": user_id}, at=at)
    else:
        session.execute(delete(PhotoRefusal).filter_by(user_id=user_id))


def ensure_may(rules: AccessRules, request: JobRequest, tool: Tool, *, author_refuses: bool) -> None:
    """Raise `Refused` if the member is blocked, or if the rules or the photo's author don't allow the job."""
    if (blocked := rules.blocked.get(request.user_id)) is not None:
        raise Refused(block_words(blocked.until, blocked.reason, automatic=blocked.automatic))
    context = request.context
    denial = (
        tool_denial(rules, context, tool)
        or _photo_denial(rules, request, tool, author_refuses=author_refuses)
        or (option_denial(rules, context, "private") if request.private else None)
        or (option_denial(rules, context, "extra") if tool.undeclared(request.inputs) else None)
    )
    if denial is not None:
        raise NotAllowed(denial)


def denials(rules: AccessRules, user_id: int, context: MemberContext, tools: Catalog) -> dict[str, str]:
    """Return why the member may not use tools here, by slug, without the tools that they may use."""
    if (blocked := rules.blocked.get(user_id)) is not None:
        return dict.fromkeys(tools.tools, str(block_words(blocked.until, automatic=blocked.automatic)))
    found = {slug: tool_denial(rules, context, tool) for slug, tool in tools.tools.items()}
    return {slug: str(denial) for slug, denial in found.items() if denial is not None}


def open_in(rules: AccessRules, tool: str, channels: frozenset[int]) -> bool:
    """Return whether anybody may use the tool there. `channels` is as in `MemberContext`."""
    lists = (rules.ids(AccessList.TOOL_CHANNEL, slug) for slug in (EVERY_TOOL, tool))
    return all(not there or there & channels for there in lists)


def tool_denial(rules: AccessRules, context: MemberContext, tool: Tool) -> Message | None:
    """Return why the member may not use the tool in the channel of the context, or None if they may."""
    # Untranslated: a name
    for slug, name in ((EVERY_TOOL, "Studii"), (tool.slug, tool.lazy_title)):
        roles, channels = rules.ids(AccessList.TOOL_ROLE, slug), rules.ids(AccessList.TOOL_CHANNEL, slug)
        if roles and not roles & context.roles:
            named = _listed("<@&{}>", roles)
            return paragraph(
                lazy("{tool} is only for {roles} in this server.", tool=name, roles=named), CHANGE
            )
        if channels and not channels & context.channels:
            named = _listed("<#{}>", channels)
            return paragraph(lazy("{tool} only works in {channels}.", tool=name, channels=named), CHANGE)
    return None


def _photo_denial(
    rules: AccessRules, request: JobRequest, tool: Tool, *, author_refuses: bool
) -> Message | None:
    if request.photo_author in {None, request.user_id}:
        return None
    if request.photo_author == UNKNOWN_MEMBER:
        return UNKNOWN_AUTHOR  # the author may be one who refuses
    if author_refuses:
        return REFUSES
    whose = rules.settings.portraits if tool.portrait else rules.settings.photos
    if whose is PhotoScope.ANYONE or request.context.moderates:
        return None
    return paragraph(
        lazy(
            "In this server you can only use {tool} on your own photos. Someone else posted that one.",
            tool=tool.lazy_title,
        ),
        lazy("An admin can change this with `/studii photos`."),
    )


def option_denial(rules: AccessRules, context: MemberContext, name: str) -> Message | None:
    """Return why the member can't use the option `private`, or `extra`, or None if they can."""
    permit = {"private": rules.settings.private_for, "extra": rules.settings.extra_for}[name]
    managers, roles = permit is Permit.MANAGERS, rules.ids(AccessList(f"{name}_role"))
    if permit is Permit.EVERYONE or (managers and context.manages) or roles & context.roles:
        return None
    if managers and roles:
        only = nlazy(
            "{option} is only for members with Manage Server or the role {roles}.",
            "{option} is only for members with Manage Server or one of the roles {roles}.",
            len(roles),
        )
    elif managers:
        only = lazy("{option} is only for members with Manage Server.")
    elif roles:
        only = lazy("{option} is only for {roles}.")
    else:
        only = lazy("{option} is turned off in this server.")
    return paragraph(
        only.using(option=f"`{name}`", roles=_listed("<@&{}>", roles)), lazy("Try again without it."), CHANGE
    )


def _listed(form: str, ids: frozenset[int]) -> Message:
    shown: list[object] = [form.format(one) for one in sorted(ids)[:_LISTED]]
    if len(ids) > _LISTED:
        shown.append(nlazy("{count} more", "{count} more", len(ids) - _LISTED))
    return alternatives(shown)
