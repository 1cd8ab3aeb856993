"""Two processes that share a PostgreSQL and accept for one server at one moment spend its budget once."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.credits import ledger
from bot.errors import CreditsShort
from bot.jobs import queries
from bot.jobs.models import Job
from bot.storage import Storage
from tests.services.acceptance.stories import set_up
from tests.services.world import PICTURE
from tests.support.clock import FakeClock
from tests.support.postgresql import new_migrated_database
from tests.support.services import accept, services_on

ROOM, PEOPLE = 7, 60


@pytest.mark.promise
async def test_two_processes_accept_together_as_many_as_there_is_room_for(
    migrated_postgresql: str, tmp_path: Path
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with Storage.open(url) as one, Storage.open(url) as other:
        await set_up(one, room_for=ROOM)
        # They share the file of the encryption key, as such processes share the key.
        processes = [(await services_on(each, tmp_path, FakeClock())).acceptance for each in (one, other)]
        answers = await asyncio.gather(
            *(
                accept(processes[person % 2], replace(PICTURE, guild_id=1, user_id=person))
                for person in range(1, PEOPLE + 1)
            ),
            return_exceptions=True,
        )
        accepted = [answer for answer in answers if isinstance(answer, Job)]
        refused = [answer for answer in answers if isinstance(answer, CreditsShort)]
        assert (len(accepted), len(refused)) == (ROOM, PEOPLE - ROOM)
        async with one.read() as transaction:
            stored = await transaction.run(queries.page, 1, None, 0, PEOPLE)
            assert await transaction.run(ledger.differing) == []
        assert {job.id for job in stored} == {job.id for job in accepted}
