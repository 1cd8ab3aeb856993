"""Styles and defaults in the database, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.styles import OF_SERVER, Style
from bot.storage import Storage
from tests.support.jobs import NOW, accepted

STYLE = Style(
    "a" * 16,
    1,
    7,
    "Oak",
    "virtual-staging",
    {"style": "oak"},
    NOW,
    roles=frozenset(),
    made_by=None,
    job_id=None,
)


async def test_a_name_is_its_owners_once_in_each_server(storage: Storage) -> None:
    others = (
        replace(STYLE, id="b" * 16, user_id=OF_SERVER, roles=frozenset({5, 6}), made_by=7),
        replace(STYLE, id="c" * 16, guild_id=2),
    )
    async with storage.write() as transaction:
        for one in (STYLE, *others):
            await transaction.styles.add(one)
    with pytest.raises(IntegrityError):
        async with storage.write() as transaction:
            await transaction.styles.add(replace(STYLE, id="d" * 16, name="ＯＡＫ"))
    async with storage.read() as transaction:
        assert await transaction.styles.of(1, 7, OF_SERVER) == [STYLE, others[0]]
        assert await transaction.styles.named(1, 7, " oak ") == STYLE
        assert await transaction.styles.count(1, 7) == 1


async def test_what_is_forgotten_is_the_members_own_and_their_name_and_result(storage: Storage) -> None:
    job = await accepted(storage)
    async with storage.write() as transaction:
        await transaction.styles.add(replace(STYLE, user_id=job.user_id, job_id=job.id))
        ours = replace(STYLE, id="b" * 16, user_id=OF_SERVER, made_by=job.user_id, job_id=job.id)
        await transaction.styles.add(ours)
        await transaction.member_defaults.set(1, job.user_id, "studio", {"quality": "high"})
        await transaction.styles.forget_member(job.user_id, 1)
        await transaction.privacy.forget(job.user_id, NOW, 1)
    async with storage.read() as transaction:
        left = await transaction.styles.of(1, job.user_id, OF_SERVER)
        assert left == [replace(ours, made_by=None, job_id=None)]
        assert await transaction.member_defaults.members(1) == frozenset()


async def test_rows_that_can_not_be_read_are_left_out_and_named(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.styles.add(STYLE)
        await transaction.styles.add(replace(STYLE, id="b" * 16, name="Pine"))
        await transaction.member_defaults.set(1, 7, "studio", {"quality": "high"})
        session = transaction.styles._session  # pyright: ignore[reportPrivateUsage] # nothing writes such rows
        await session.execute(text("UPDATE styles SET inputs = '[]' WHERE key = 'oak'"))
        await session.execute(text("UPDATE member_defaults SET inputs = '3'"))
    async with storage.read() as transaction:
        assert [one.name for one in await transaction.styles.of(1, 7)] == ["Pine"]
        assert await transaction.member_defaults.of(1, 7) == {}
        names = await transaction.unreadable.names()
        assert names == [f"styles {'a' * 16}", "member_defaults 1 7 studio"]


async def test_a_removed_server_takes_its_styles_and_defaults_with_it(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.styles.add(STYLE)
        await transaction.member_defaults.set(1, 7, "studio", {"quality": "high"})
        await transaction.privacy.erase_guild(1)
    async with storage.read() as transaction:
        assert await transaction.styles.of(1, 7) == []
        assert await transaction.member_defaults.of(1, 7) == {}
