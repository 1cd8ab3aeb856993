"""Encrypted Studii keys. A replaced key is kept for the jobs that run with it."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import NUMBER, Base, Choice, wake
from bot.servers import settings
from bot.vault import CannotDecrypt, Vault, lane_names


class Plan(StrEnum):
    """Studii's plans that have API access, by name.

    Rate limits: Studii API docs, "Rate limits" (Pro 60 a minute, Team and Business 300).
    """

    PRO = "pro"
    TEAM = "team"
    BUSINESS = "business"

    @property
    def requests_per_minute(self) -> int:
        return 60 if self is Plan.PRO else 300


class StudiiKey(Base):
    """A server's encrypted Studii key.

    `lane` is a keyed hash of the secret, so two servers with the same key have the same lane.
    """

    __tablename__ = "studii_keys"

    guild_id: Mapped[int] = mapped_column(index=True)
    lane: Mapped[str] = mapped_column(index=True, repr=False)
    hint: Mapped[str] = mapped_column(String(8))  # the last four characters
    plan: Mapped[Plan] = mapped_column(Choice(Plan, "plan"))
    ciphertext: Mapped[bytes] = mapped_column(repr=False)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None] = mapped_column(default=None)
    plan_at: Mapped[datetime | None] = mapped_column(default=None)  # of a change of plan, else None
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, default=None)

    @property
    def plan_chosen_at(self) -> datetime:
        return self.plan_at or self.created_at

    @property
    def masked(self) -> str:
        return f"stu_…{self.hint}"


def add(
    session: Session, guild_id: int, lane: str, hint: str, plan: Plan, ciphertext: bytes, at: datetime
) -> StudiiKey:
    """Insert a key, which is not yet the server's current one."""
    session.add(key := StudiiKey(guild_id, lane, hint, plan, ciphertext, at))
    session.flush()
    wake(session, ("servers",))
    return key


def use(
    session: Session, guild_id: int, lane: str, hint: str, plan: Plan, ciphertext: bytes, at: datetime
) -> StudiiKey:
    """Make a key the server's current one. The same key again is sealed again: the old text may be lost."""
    old = current(session, guild_id)
    if old is not None and old.lane == lane:
        old.plan, old.plan_at, old.ciphertext = plan, at, ciphertext
        wake(session, ("servers",))
        return old
    key = add(session, guild_id, lane, hint, plan, ciphertext, at)
    settings.change(session, guild_id, key_id=key.id)
    if old is not None:
        retire(session, old.id, at)
    return key


def current(session: Session, guild_id: int) -> StudiiKey | None:
    """Return the key that the server's new jobs use, or None. It is shown as its `masked`."""
    return session.scalar(
        select(StudiiKey)
        .join(settings.GuildSettings, settings.GuildSettings.key_id == StudiiKey.id)
        .where(settings.GuildSettings.guild_id == guild_id)
    )


def of_lanes(session: Session, lanes: Collection[str]) -> list[StudiiKey]:
    """Return the keys of these lanes, in use or retired."""
    return list(session.scalars(select(StudiiKey).where(StudiiKey.lane.in_(lanes))))


def stored(session: Session) -> list[StudiiKey]:
    """Return all keys that there are."""
    return list(session.scalars(select(StudiiKey).order_by(StudiiKey.id)))


def retire(session: Session, key_id: int, at: datetime) -> None:
    """Mark the key as retired. The first call sets the time."""
    session.execute(
        update(StudiiKey).where(StudiiKey.id == key_id, StudiiKey.retired_at.is_(None)).values(retired_at=at)
    )
    wake(session, ("servers",))


def reseal(session: Session, vault: Vault) -> list[int]:
    """Encrypt every stored key, and the secret of lanes' names, with the newest encryption key.

    Return the ids of keys that can't be decrypted, which stay as they are.
    """
    unreadable: list[int] = []
    for key in session.scalars(select(StudiiKey).where(StudiiKey.ciphertext != b"")):  # those not erased
        try:
            key.ciphertext = vault.seal(vault.unseal(key.ciphertext))
        except CannotDecrypt:
            unreadable.append(key.id)
    lane_names(session, vault)
    return unreadable
