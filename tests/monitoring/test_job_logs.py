"""Every line of the log about a job carries the job's id in a field of its own."""

import json
import logging
import re
from pathlib import Path

import pytest

from bot.monitoring import JsonFormatter
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
async def test_a_members_job_is_a_line_for_each_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        job = await desk.job()
        await cancel(desk.services, job.id, job.guild_id, job.user_id)
    lines = [json.loads(JsonFormatter().format(one)) for one in caplog.records]
    events = [line["message"] for line in lines if line.get("job") == job.id]
    assert events == [
        f"Job {job.id} is accepted: studio in server {job.guild_id}",
        f"Job {job.id} is cancelled",
    ]
