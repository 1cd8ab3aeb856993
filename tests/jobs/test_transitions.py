"""What is kept of a job, and how it may change."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from bot import posts
from bot.db import Database
from bot.domain.guilds import Plan
from bot.jobs import queries, transitions
from bot.jobs.models import NEXT_STATES, TERMINAL_STATES, Approval, FailureCode, Job, JobState, SourcePhoto
from bot.posts import RESULT
from bot.reasons import Reason
from bot.servers import keys
from tests.support.database import given
from tests.support.jobs import NOW, a_job, added, keep_job

PHOTO = SourcePhoto("https://cdn.example/room.png?ex=1", "room.png", "image/png", 1234)
LATER = NOW + timedelta(seconds=90, microseconds=7)
IN_A_SET: Mapping[str, Any] = {"set_id": "0123456789abcdef", "set_message": 3}


async def stored(db: Database, job: Job) -> Job:
    found = await db.read(queries.get, job.id)
    assert found is not None
    return found


async def test_a_job_comes_back_as_it_was_kept_in_every_field(db: Database) -> None:
    key = await db.write(keys.add, 1, "lane", "abcd", Plan.PRO, b"sealed", NOW)
    job = a_job(
        guild_id=2**63 - 1,
        channel_id=2**62,
        user_id=2**61,
        inputs={"prompt": "naïve 🐈\n“quoted” 'n' \x00?", "b": "2", "a": "1"},
        source=PHOTO,
        private=True,
        **IN_A_SET,
        state=JobState.FAILED,
        version=4,
        charged=8,
        not_before=LATER,
        held=Reason.text("Waiting for a key."),
        attempts=2,
        source_file="a.png",
        key_id=key.id,
        object_key="uploads/a.png",
        studii_id="6f1c",
        status_url="https://studii.example/jobs/6f1c",
        studii_status="rendering",
        submitted_at=LATER,
        output_url="https://cdn.example/out.png",
        output_kind="image",
        output_file="b.png",
        finished_at=LATER,
        failure=FailureCode.OUTPUT,
        failure_text=Reason.text("Its output is gone."),
        posting=1,
        result_message_id=2**59,
        origin_message_id=2**58,
        once="3:2:studio:0",
        tapped="🔥",
        announced_at=LATER,
        photo_author=2**58,
        scrubbed_at=LATER,
        resolved_at=LATER,
        forgotten_at=LATER,
        decode_tries=1,
        price_learned=True,
        allowance_role=2**57,
        age_restricted=True,
        cancel_told=True,
        epoch=2**56,
        result_by_dm=True,
        post_channel_id=2**57,
        result_channel_id=2**56,
        in_thread=True,
        approval=Approval.GIVEN,
        result_approval=Approval.WANTED,
        trouble="missing",
        troubled_at=LATER,
    )
    assert [one.name for one in fields(job) if one.name != "number" and getattr(job, one.name) is None] == []
    await db.write(given(keep_job, job))
    found = await stored(db, job)
    assert found == job
    assert list(found.inputs) == ["prompt", "b", "a"]
    assert isinstance(found.failure, FailureCode)


async def test_a_time_without_a_zone_is_not_kept(db: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        await added(db, not_before=datetime(2026, 5, 4))  # noqa: DTZ001


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


async def test_a_ruling_on_an_unknown_outcome_is_told_though_the_unknown_was(db: Database) -> None:
    job = await added(db, state=JobState.UNKNOWN, announced_at=NOW)
    await db.write(
        transitions.advance,
        job.id,
        JobState.UNKNOWN,
        JobState.FAILED,
        at=LATER,
        failure=FailureCode.RULED,
    )
    assert await db.write(posts.known, job.guild_id, RESULT, f"{job.id}-1")


@pytest.mark.driver_thread
async def test_an_error_of_the_database_does_not_quote_what_people_wrote(db: Database) -> None:
    job = await added(db)
    with pytest.raises(IntegrityError) as caught:
        await added(db, id=job.id, inputs={"prompt": "a private wish"})
    assert "private wish" not in str(caught.value)


MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reachable(start: JobState) -> set[JobState]:
    seen: set[JobState] = set()
    ahead = [start]
    while ahead:
        for state in NEXT_STATES[ahead.pop()] - seen:
            seen.add(state)
            ahead.append(state)
    return seen


def test_only_a_withheld_result_goes_on_from_an_end_if_a_moderator_releases_it() -> None:
    ends = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.WITHHELD}
    assert ends == TERMINAL_STATES
    going_on = {state: NEXT_STATES[state] for state in TERMINAL_STATES if NEXT_STATES[state]}
    assert going_on == {JobState.WITHHELD: {JobState.SUCCEEDED}}


def test_every_state_can_be_reached_and_none_is_left_without_an_end() -> None:
    assert reachable(JobState.RECEIVED) | {JobState.RECEIVED} == set(JobState)
    for state in set(JobState) - TERMINAL_STATES:
        assert reachable(state) & TERMINAL_STATES, state


def test_a_job_cannot_be_cancelled_once_it_may_have_been_sent() -> None:
    may_have_been_sent = {JobState.SUBMITTING, JobState.RUNNING, JobState.UNKNOWN}
    assert not any(JobState.CANCELLED in NEXT_STATES[state] for state in may_have_been_sent)


def test_a_job_that_studii_took_or_may_have_taken_is_never_sent_again() -> None:
    for state in (JobState.RUNNING, JobState.UNKNOWN):
        assert not reachable(state) & {JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING}


def test_only_a_submission_can_end_in_an_unknown_outcome() -> None:
    assert [state for state, following in NEXT_STATES.items() if JobState.UNKNOWN in following] == [
        JobState.SUBMITTING,
    ]


def test_each_posting_of_a_result_has_a_name_of_its_own_that_discord_takes() -> None:
    first, later = a_job().nonce, a_job(posting=99_999_999).nonce
    assert first != later
    assert max(len(first), len(later)) <= 25
