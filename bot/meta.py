"""Named values of the bot as a whole, such as the digests of the commands that it registered."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, put


class Meta(Base):
    """A named value."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(repr=False)


def get(session: Session, name: str) -> bytes | None:
    """Return the value, or None if there is none."""
    return session.scalar(select(Meta.value).where(Meta.name == name))


def set_to(session: Session, name: str, value: bytes) -> None:
    """Set the value."""
    put(session, Meta, {"name": name}, value=value)


def names(session: Session, prefix: str) -> list[str]:
    """Return the names that start with `prefix`."""
    return list(session.scalars(select(Meta.name).where(Meta.name.startswith(prefix, autoescape=True))))


def remove(session: Session, name: str) -> None:
    """Remove the value."""
    session.execute(delete(Meta).where(Meta.name == name))
