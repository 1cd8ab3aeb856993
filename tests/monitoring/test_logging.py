"""The log, and the watchdog."""

import asyncio
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import pytest

from bot.delivery import CdnPhotoSource
from bot.errors import PhotoDelayed
from bot.jobs.models import SourcePhoto
from bot.monitoring import ORIGIN, JsonFormatter, TextFormatter
from tests.support.jobs import staging
from tests.support.patience import PATIENCE


@pytest.mark.promise
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the key stu_0123456789 was sent", "the key stu_… was sent"),
        ("{'Authorization': 'Bearer abc.def'}", "{'Authorization': 'stu_…'}"),
        ("url='http://maya:p%40ss@proxy:3128'", "url='http://…@proxy:3128'"),
        ("postgresql+asyncpg://bot:word@db/studii", "postgresql+asyncpg://…@db/studii"),
        ("{'Proxy-Authorization': 'Basic bWF5YTpwQHNz'}", "{'Proxy-Authorization': 'Basic …'}"),
        (
            "POST https://discord.com/api/v10/webhooks/7001/aW50ZXJhY3Rpb24.x-y_z responded with 429",
            "POST https://discord.com/api/v10/webhooks/7001/… responded with 429",
        ),
        (
            "PATCH /webhooks/7001/aW50ZXJhY3Rpb24/messages/@original, /interactions/9/c2VjcmV0/callback",
            "PATCH /webhooks/7001/…/messages/@original, /interactions/9/…/callback",
        ),
        (
            "url=URL('https://cdn.discordapp.com/attachments/1/2/me.png?ex=6&is=5&hm=c0ffee'), method",
            "url=URL('https://cdn.discordapp.com/attachments/1/2/me.png?…'), method",
        ),
        ("https://studii.tech/@maya, a Basic plan", "https://studii.tech/@maya, a Basic plan"),
    ],
)
def test_keys_and_passwords_are_masked(text: str, masked: str) -> None:
    record = logging.LogRecord("bot", logging.ERROR, "", 1, text, (), (ValueError, ValueError(text), None))
    assert [one.format(record).count(masked) for one in (TextFormatter(), JsonFormatter())] == [2, 2]


def line(formatter: logging.Formatter, message: str, *given: object) -> str:
    return formatter.format(logging.LogRecord("bot", logging.INFO, __file__, 1, message, given, None))


@pytest.mark.promise
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_what_others_wrote_stays_on_its_line_and_hides_nothing(formatter: logging.Formatter) -> None:
    written = "evil\n2026-03-02 12:00:00 CRITICAL bot: all is lost\u2028\x1b[2Kgn\u202epj\u200b.exe"
    shown = line(formatter, "The command %s is not known", written)
    assert len(shown.splitlines()) == 1
    assert not set(shown) & set("\x1b\u202e\u200b\u2028")


@pytest.mark.promise
async def test_the_address_of_a_photo_is_in_no_line_whatever_its_server_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = "https://cdn.discordapp.com/attachments/1/2/me.png?ex=6&hm=c0ffee"

    class Broken(aiohttp.TCPConnector):
        async def connect(self, req: Any, *_: Any, **__: Any) -> Any:
            raise aiohttp.ClientResponseError(req.request_info, (), message="Expected HTTP/")

    def connect(**_: Any) -> aiohttp.TCPConnector:
        return Broken()

    async with CdnPhotoSource(AsyncMock(), connect) as photos:
        job = staging(source=SourcePhoto(signed, "me.png", "image/png", 9))
        with pytest.raises(PhotoDelayed):
            await photos.fetch(job, tmp_path / "photo", 100)
    assert "could not be fetched: ClientResponseError" in caplog.text
    assert "c0ffee" not in caplog.text


async def test_a_line_tells_from_which_process_it_is_where_there_may_be_several() -> None:
    record = logging.LogRecord("bot", logging.INFO, "file", 1, "Job %s succeeded", ("1a2b",), None)
    ORIGIN.set(lambda: (7, frozenset({2, 0})))
    assert TextFormatter().format(record).endswith("Job 1a2b succeeded [process 7, shards 0,2]")
    told = json.loads(JsonFormatter().format(record))
    assert (told["process"], told["shards"]) == (7, [0, 2])


@pytest.mark.promise
async def test_the_documents_list_each_field_that_machines_read() -> None:
    failed = (ValueError, ValueError("no"), None)
    record = logging.LogRecord("bot", logging.ERROR, "file", 1, "Job %s failed", ("1a2b",), failed)
    ORIGIN.set(lambda: (7, frozenset({0})))
    text = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text("utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", text.partition("LOG_FORMAT=json")[2], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"\w+", row)}
    assert told == json.loads(JsonFormatter().format(record)).keys()


BOT = Path(__file__).parents[2] / "bot"


@pytest.mark.promise
def test_the_documents_name_the_lines_of_a_jobs_life_as_they_are_logged() -> None:
    text = (BOT.parent / "docs" / "monitoring.md").read_text("utf-8")
    told = re.findall(r"^\| `(Job …[^`]+)` \|", text, re.MULTILINE)
    assert len(told) >= 7
    code = "".join(path.read_text("utf-8") for path in BOT.rglob("*.py"))
    logged = {re.sub(r"%[sd]", "…", literal) for literal in re.findall(r'"(Job %s[^"]*)"', code)}
    assert set(told) <= logged


PROGRAM = """
import asyncio, time
from bot.monitoring import watchdog

async def main():
    async with watchdog(lambda: {stuck}, beat=0.02, standstill=0.5):
        await asyncio.sleep({asleep})
        time.sleep({blocked})
    time.sleep(0.7)  # nobody watches any more

asyncio.run(main())
"""


async def ended(**what: object) -> tuple[int, str]:
    """The status of a process, and what it wrote."""
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM.format(**what)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return process.returncode, process.stderr.decode()


@pytest.mark.promise
async def test_the_process_really_ends_and_says_where_it_stood() -> None:
    status, said = await ended(stuck=None, asleep=0.1, blocked=30)
    assert status == 1
    assert "in main" in said


async def test_one_whose_engine_makes_no_progress_ends_with_the_reason() -> None:
    status, said = await ended(stuck="'poll 12ab has lasted 400 s'", asleep=30, blocked=0)
    assert status == 1
    assert "poll 12ab has lasted 400 s" in said
    assert "in live" in said
