"""Every line of the log about a job carries the job's id in a field of its own."""

import json
import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.aio import retry
from bot.engine.requests import Requests
from bot.jobs.models import Job, JobState
from bot.media.pool import DecoderPool
from bot.monitoring import JsonFormatter, quiet_libraries
from sandbox.studii import Outcome, faults
from tests.engine.recorder import Recorder
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.desk import open_desk
from tests.support.services import cancel

BOT = Path(__file__).parents[2] / "bot"


@pytest.mark.promise
def test_the_documents_name_the_lines_of_a_jobs_life_as_they_are_logged() -> None:
    text = (BOT.parent / "docs" / "monitoring.md").read_text("utf-8")
    told = re.findall(r"^\| `(Job …[^`]+)` \|", text, re.MULTILINE)
    assert len(told) >= 7
    code = "".join(path.read_text("utf-8") for path in BOT.rglob("*.py"))
    logged = {re.sub(r"%[sd]", "…", literal) for literal in re.findall(r'"(Job %s[^"]*)"', code)}
    assert set(told) <= logged


@pytest.mark.promise
async def test_a_members_job_is_a_line_for_each_event(tmp_path: Path) -> None:
    with everything_logged() as lines:
        async with open_desk(tmp_path) as desk:
            await desk.set_key()
            await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
            job = await desk.job()
            await cancel(desk.services, job.id, job.guild_id, job.user_id)
    events = [line["message"] for line in lines if line.get("job") == job.id]
    assert events == [
        f"Job {job.id} is accepted: studio in server {job.guild_id}",
        f"Job {job.id} is cancelled",
    ]


class Lines(logging.Handler):
    """What machines read: each line of the log, parsed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.read: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.read.append(json.loads(self.format(record)))


@contextmanager
def everything_logged() -> Generator[list[dict[str, Any]]]:
    """What every part of the process logs, the libraries too."""
    root, lines = logging.getLogger(), Lines()
    before = root.level
    quiet_libraries()
    root.addHandler(lines)
    root.setLevel(logging.INFO)
    try:
        yield lines.read
    finally:
        root.removeHandler(lines)
        root.setLevel(before)


async def stumbling(world: EngineWorld, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose photo, then its request and then its announcement met something that nobody foresaw."""
    monkeypatch.setattr(retry, "FIRST_RETRY_SECONDS", 0.001)
    for where, name in (
        (DecoderPool, "inspect"),
        (Requests, "submit"),
        (Recorder, "send"),
    ):
        stumble_once(where, name, monkeypatch)
    job = await world.accept(a_staging_job())
    async with world.running():
        await world.announced(job.id)
    return await world.reaches(job.id, JobState.SUCCEEDED)


def stumble_once(where: type[Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    works = getattr(where, name)

    async def stumble(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(where, name, works)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(where, name, stumble)


async def test_each_line_of_the_engines_log_about_a_job_has_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with everything_logged() as lines:
        async with engine_world(tmp_path) as world:
            await world.use_key(world.studii.add_key())
            jobs: list[Job] = []
            for fault in (None, faults.error(400, "No unicorns, please."), faults.proxy_error(after=True)):
                if fault is not None:
                    world.studii.fail("create", fault)
                jobs.append(await world.accept(a_job()))
                async with world.running():
                    await world.announced(jobs[-1].id)
            world.studii.next_job(Outcome(fails="Out of paint."))
            jobs.append(await world.accept(a_staging_job()))
            async with world.running():
                await world.announced(jobs[-1].id)
            world.studii.fail("output", faults.error(500, "A shelf fell down."))
            jobs.append(await world.accept(a_job()))
            async with world.running():
                await world.announced(jobs[-1].id)
            jobs.append(await stumbling(world, monkeypatch))
    ids = {job.id for job in jobs}
    assert {line.get("job") for line in lines if "job" in line} == ids
    assert len([line for line in lines if "nobody foresaw this" in line.get("error", "")]) == 3
    for line in lines:
        assert line["level"] == "info" or line.get("job") in ids, line
        named = set(re.findall(r"\b[0-9a-f]{16}\b", line["message"] + line.get("error", ""))) & ids
        assert named <= {line.get("job")}, line
        assert named or not re.search(r"\bjob\b", line["message"], re.IGNORECASE), line
