"""How a job may change, and what is kept of it."""

from itertools import product

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.db import Database
from bot.jobs import transitions
from bot.jobs.models import NEXT_STATES, TERMINAL_STATES, JobState
from tests.support.jobs import NOW, a_job, added, keep_job


async def test_a_job_goes_only_where_its_state_may_lead(db: Database) -> None:
    def try_all(session: Session) -> None:
        for before, after in product(JobState, JobState):
            job = a_job(state=before)
            keep_job(session, job)
            if after in NEXT_STATES[before]:
                changed = transitions.advance(session, job.id, before, after, at=NOW)
                assert changed is not None
                assert changed.state is after
            else:
                with pytest.raises(ValueError, match="can't change from"):
                    transitions.advance(session, job.id, before, after, at=NOW)

    await db.write(try_all)


@pytest.mark.driver_thread
async def test_an_error_of_the_database_does_not_quote_what_people_wrote(db: Database) -> None:
    job = await added(db)
    with pytest.raises(IntegrityError) as caught:
        await added(db, id=job.id, inputs={"prompt": "a private wish"})
    assert "private wish" not in str(caught.value)


def reachable(start: JobState) -> set[JobState]:
    seen: set[JobState] = set()
    ahead = [start]
    while ahead:
        for state in NEXT_STATES[ahead.pop()] - seen:
            seen.add(state)
            ahead.append(state)
    return seen


def test_every_job_can_end_and_what_studii_may_have_is_neither_sent_again_nor_cancelled() -> None:
    assert reachable(JobState.RECEIVED) | {JobState.RECEIVED} == set(JobState)
    assert all(reachable(state) & TERMINAL_STATES for state in set(JobState) - TERMINAL_STATES)
    unsent = {JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING, JobState.CANCELLED}
    for state in (JobState.RUNNING, JobState.UNKNOWN):
        assert not reachable(state) & unsent
    assert JobState.CANCELLED not in NEXT_STATES[JobState.SUBMITTING]


def test_each_posting_of_a_result_has_a_name_of_its_own_that_discord_takes() -> None:
    first, later = a_job().nonce, a_job(posting=99_999_999).nonce
    assert first != later
    assert max(len(first), len(later)) <= 25
