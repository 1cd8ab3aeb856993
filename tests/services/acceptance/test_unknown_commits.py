"""Requests whose commit may have been made are not tried again, so nobody pays for a job twice."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from bot.errors import Busy, Collided
from bot.jobs.models import Job
from bot.services.acceptance import batches
from tests.services.world import MEMBER, OTHER_MEMBER, PICTURE, ServicesWorld
from tests.support.services import accept


def lose_an_answer(monkeypatch: pytest.MonkeyPatch, error: Busy) -> None:
    """Let the next commit be made, and fail all the same."""
    commit, lost = Connection.commit, iter([error])

    def commit_and_fail(connection: Connection) -> None:
        commit(connection)
        _raise_next(lost)

    monkeypatch.setattr(Connection, "commit", commit_and_fail)


def _raise_next(errors: Iterator[Busy]) -> None:
    for error in errors:
        raise error


async def test_after_a_collision_at_the_commit_a_request_is_not_tried_again(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    lose_an_answer(monkeypatch, Collided())
    with pytest.raises(Collided):
        await world.accept()
    assert len(await world.jobs()) == 1


async def test_after_a_commit_that_took_too_long_none_of_the_group_is_tried_again(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    lose_an_answer(monkeypatch, Busy())
    # The first one's time is over by then, as far as it counts, and the second one's is not.
    monkeypatch.setattr(batches, "ANSWERED_TOGETHER", 1000.0)
    answers: list[asyncio.Task[Job]] = []
    async with vars(world.storage.db)["_turn"]:
        for member, patience in ((MEMBER, 500.0), (OTHER_MEMBER, 2000.0)):
            monkeypatch.setattr(batches, "COMMAND_WRITE_TIMEOUT", patience)
            asked = accept(world.services.acceptance, replace(PICTURE, user_id=member))
            answers.append(asyncio.create_task(asked))
            await asyncio.sleep(0)
    told = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(one) for one in told] == [Busy, Busy]
    assert sorted(job.user_id for job in await world.jobs()) == [MEMBER, OTHER_MEMBER]
