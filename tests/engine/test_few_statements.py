"""What a job costs the database over its life, and what is known of its requests whatever happens."""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine as DatabaseEngine

from bot.domain import Job, JobState
from sandbox.studii import Options, Outcome
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.patience import PATIENCE

JOBS = 10
STATEMENTS = 25  # of the engine for a job from words that is polled a few times


@contextmanager
def counted() -> Generator[list[str]]:
    """The statements that are executed meanwhile."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(DatabaseEngine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(DatabaseEngine, "before_cursor_execute", note)


@contextmanager
def put_together() -> Generator[dict[str, list[Any]]]:
    """The statements that are executed meanwhile, as SQLAlchemy has them, each once, by what they say."""
    statements: dict[str, list[Any]] = {}

    def note(_: Any, statement: Any, *__: Any) -> None:
        alike = statements.setdefault(str(statement), [])
        if all(one is not statement for one in alike):
            alike.append(statement)

    event.listen(DatabaseEngine, "before_execute", note)
    try:
        yield statements
    finally:
        event.remove(DatabaseEngine, "before_execute", note)


def asked(number: int) -> Job:
    """A job on a price that is known."""
    return replace(a_job(user_id=400 + number, estimate=8), price_learned=True)


async def done(world: EngineWorld, *ids: str) -> None:
    async def announced() -> bool:
        return {said.job.id for said in world.discord.said} >= set(ids)

    await world.until(announced, "all announced")


def deaf(_: object) -> nullcontext[None]:
    """In place of listening to what changes."""
    return nullcontext()


async def test_a_job_costs_few_statements_however_many_workers_there_are(tmp_path: Path) -> None:
    # Looks around are for what nobody told of: here are none.
    async with engine_world(
        tmp_path, options=Options(long_side=64), reread_every=10 * PATIENCE, first_poll=0.1
    ) as world:
        await world.use_key(world.studii.add_key("team"))
        # So long that each is polled at least twice also on a busy machine.
        world.studii.next_job(Outcome(duration=0.9), JOBS + 1)
        async with world.running():
            first = await world.accept(a_job())  # its price is learned, and its lane is opened
            await done(world, first.id)
            with counted() as statements:
                accepted = [(await world.accept(asked(n))).id for n in range(JOBS)]
                await done(world, *accepted)
        assert len(statements) <= STATEMENTS * JOBS
        assert len(world.studii.requests.of("status")) >= 2 * JOBS


async def test_no_statement_is_put_together_anew_for_each_job_or_look(tmp_path: Path) -> None:
    async with engine_world(
        tmp_path, options=Options(long_side=64), reread_every=0.15, first_poll=0.1
    ) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(duration=0.4), 4)
        async with world.running():
            first = await world.accept(a_job())
            await done(world, first.id)
            with put_together() as statements:
                accepted = [(await world.accept(asked(n))).id for n in range(3)]
                await done(world, *accepted)
        assert len(statements) > 10
        anew = [text for text, made in statements.items() if len(made) > 1]
        assert not anew, "\n\n".join(anew)


async def test_each_poll_is_in_the_database_before_it_is_sent(tmp_path: Path) -> None:
    async with engine_world(tmp_path, options=Options(long_side=64), first_poll=0.02) as world:
        key = await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(duration=1.0), 3)
        jobs = [await world.accept(a_job(user_id=400 + n)) for n in range(3)]
        began = world.clock.now()
        async with world.running():
            await done(world, *(job.id for job in jobs))
            async with world.storage.read() as transaction:
                recorded = (await transaction.lanes.of([key.lane], began))[key.lane]
        sent = [one for one in world.studii.requests if one.endpoint in {"create", "status"}]
        assert len(sent) > 6
        assert len(recorded) >= len(sent)


async def test_a_job_of_which_nobody_is_told_is_found_at_the_next_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path, reread_every=0.1) as world:
        await world.use_key(world.studii.add_key("team"))
        monkeypatch.setattr(world.storage, "listening", deaf)
        async with world.running():
            job = await world.accept(a_staging_job())
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
