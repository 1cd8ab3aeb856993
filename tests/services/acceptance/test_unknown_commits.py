"""Requests whose commit may have been made are not tried again, so nobody pays for a job twice."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from bot.errors import DatabaseFailed
from tests.services.world import MEMBER, OTHER_MEMBER, PICTURE, ServicesWorld
from tests.support.services import accept


async def test_after_a_commit_whose_answer_was_lost_none_of_the_group_is_tried_again(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    commit, lost = Connection.commit, [OperationalError("COMMIT", None, sqlite3.OperationalError("locked"))]

    def commit_and_fail(connection: Connection) -> None:
        commit(connection)
        if lost:
            raise lost.pop()

    async with world.storage.write():
        monkeypatch.setattr(Connection, "commit", commit_and_fail)
        asked = (
            accept(world.services.acceptance, replace(PICTURE, user_id=one)) for one in (MEMBER, OTHER_MEMBER)
        )
        answers = [asyncio.create_task(one) for one in asked]
        await asyncio.sleep(0)
        monkeypatch.setattr(Connection, "commit", commit)
    monkeypatch.setattr(Connection, "commit", commit_and_fail)
    told = await asyncio.gather(*answers, return_exceptions=True)
    assert lost == []
    assert all(isinstance(one, DatabaseFailed) for one in told)
    assert sorted(job.user_id for job in await world.jobs()) == [MEMBER, OTHER_MEMBER]
