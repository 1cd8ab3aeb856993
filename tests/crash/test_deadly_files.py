"""A file that ends the whole process when it is opened is given up, and costs nobody else anything."""

import pytest

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.db import Database
from bot.jobs import accept, queries
from bot.jobs.models import FailureCode, Job, JobState
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, Output
from tests.crash.life import ENDED
from tests.crash.world import KILLED, Case, CrashWorlds, Zygote, worlds
from tests.engine.world import a_staging_job, png
from tests.support.database import given
from tests.support.jobs import ledger_lines

DEATHS = 2  # tries that a file has
TOO_LARGE = png() + bytes(11 * 1024 * 1024)  # for a message; what follows a PNG's end is none of its business


async def lives(own: CrashWorlds, process: Zygote, case: Case, deadly: str) -> list[int]:
    """How the bot's lives end, until one ends by itself; five at most."""
    ends: list[int] = []
    while len(ends) < 5 and ENDED not in ends:
        ends.append(await process.live(own.life(case, deadly=[deadly])))
    return ends


async def job_of(case: Case, job_id: str) -> Job:
    async with Database.open(case.database) as db:
        job = await db.read(queries.get, job_id)
    assert job is not None
    return job


@pytest.mark.promise
async def test_a_photo_that_kills_the_bot_fails_unpaid_and_those_beside_it_are_made(process: Zygote) -> None:
    async with worlds() as own:
        case, asked = await own.accepted()
        ids = {"guild_id": case.guild_id, "channel_id": case.channel_id}
        beside = [a_staging_job(**ids) for _ in range(3)]
        async with Database.open(case.database) as db:
            for job in beside:
                await db.write(given(accept.store, [job], job.created_at))
        ends = await lives(own, process, case, f"{asked.id}.source")
        assert ends == [KILLED] * DEATHS + [ENDED]
        killer = await job_of(case, asked.id)
        assert (killer.state, killer.failure) == (JobState.FAILED, FailureCode.PHOTO)
        assert "crashed the program that opens pictures" in reason_words(killer.failure_text)
        async with Database.open(case.database) as db:
            lines = [line.kind for line in await ledger_lines(db, job_id=killer.id)]
            assert await db.read(ledger.differing) == []
        assert (killer.reserved, killer.settled) == (0, 0)
        # What those beside it cost may have corrected what it is expected to cost.
        assert [kind for kind in lines if kind is not EntryKind.CORRECT] == [
            EntryKind.RESERVE,
            EntryKind.RELEASE,
        ]
        # Whoever was being submitted in that moment is as ever after a kill.
        ends_beside = {(await job_of(case, job.id)).state for job in beside}
        assert ends_beside <= {JobState.SUCCEEDED, JobState.UNKNOWN}
        assert JobState.SUCCEEDED in ends_beside


@pytest.mark.promise
async def test_a_result_that_kills_the_bot_when_it_is_checked_is_posted_as_it_is(process: Zygote) -> None:
    async with worlds() as own:
        case, asked = await own.accepted(text=True)
        ends = await lives(own, process, case, f"{asked.id}.output")
        assert ends == [KILLED] * DEATHS + [ENDED]
        _, complaints = await own.wrong(case, may_be_unknown=False)
        assert complaints == []
        assert (await job_of(case, asked.id)).state is JobState.SUCCEEDED


@pytest.mark.promise
async def test_a_result_that_kills_the_bot_when_it_is_made_to_fit_is_posted_as_a_link(
    process: Zygote,
) -> None:
    async with worlds() as own:
        case, asked = await own.accepted(text=True)
        own.studii.next_job(Outcome(output=Output(TOO_LARGE, "image/png")))
        # It is checked under another name: only making it smaller kills here.
        ends = await lives(own, process, case, f"{asked.id}.output.")
        assert ends == [KILLED] * DEATHS + [ENDED]
        job = await job_of(case, asked.id)
        assert job.state is JobState.SUCCEEDED
        (posted,) = [one for one in own.discord.in_channel(job.channel_id) if one.nonce == job.nonce]
        assert not posted.files
        assert job.settled == 8
