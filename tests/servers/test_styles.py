"""Styles and defaults in the database, on SQLite and on PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.db import Database
from bot.features import styles
from bot.features.styles import OF_SERVER, Style
from tests.support.jobs import NOW, accepted

STUDIO = Catalog.load().get("studio")


def a_style(**changes: Any) -> Style:
    """Return a new style of member 7 in server 1, with the changes."""
    given: dict[str, Any] = {"guild_id": 1, "user_id": 7, "name": "Oak", "tool": "virtual-staging"}
    given |= {"inputs": {"style": "oak"}, "created_at": NOW} | changes
    return Style(**given)


def keep(session: Session, *changes: dict[str, Any]) -> None:
    session.add_all([a_style(**one) for one in changes])


async def test_a_name_is_its_owners_once_in_each_server(db: Database) -> None:
    ours = {"id": "b" * 16, "user_id": OF_SERVER, "roles": frozenset({5, 6}), "made_by": 7}
    await db.write(keep, {"id": "a" * 16}, ours, {"id": "c" * 16, "guild_id": 2})
    with pytest.raises(IntegrityError):
        await db.write(keep, {"name": "ＯＡＫ"})
    own, of_servers = await db.read(styles.usable, 1, 7, frozenset({6}))
    assert own == a_style(id="a" * 16)
    assert of_servers == a_style(**ours)
    assert await db.read(styles.named, 1, 7, frozenset[int](), " oak ") == own


async def test_what_is_forgotten_is_the_members_own_and_their_name_and_result(db: Database) -> None:
    job = await accepted(db)
    ours = {"id": "b" * 16, "user_id": OF_SERVER}
    named = {"made_by": job.user_id, "job_id": job.id}
    await db.write(keep, {"user_id": job.user_id, "job_id": job.id}, ours | named)
    await db.write(styles.set_defaults, 1, job.user_id, STUDIO, {"quality": "high"})
    await db.write(styles.forget_member, job.user_id, 1)
    assert await db.read(styles.usable, 1, job.user_id, frozenset[int]()) == [a_style(**ours)]
    assert await db.read(styles.default_inputs, 1, job.user_id, STUDIO) == {}
