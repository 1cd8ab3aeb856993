"""Format the log as text or JSON, with secrets masked."""

import errno
import json
import logging
import os
import re
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bot.domain.visible_text import visible

_SECRET = re.compile(r"\bstu_[A-Za-z0-9_\-]{4,}|\bBearer\s+[^\s'\"]+")
# The user and password of a proxy or a database, in an address or a header.
_ACCOUNT = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)|(?<=\bBasic )[A-Za-z0-9+/=]{8,}")
# The token of an interaction in a URL of Discord, with which anybody can answer for 15 minutes.
_TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^\s/?'\"]+")
# The query of a URL, which may contain its signature.
_QUERY = re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>]*")


def mask(text: str) -> str:
    """Return the text without Studii keys, users and passwords, tokens of interactions, and signatures.

    The bot does not log them, but libraries do, also in the texts of their errors.
    """
    masked = _ACCOUNT.sub("…", _SECRET.sub("stu_…", text))
    return _QUERY.sub(r"\1?…", _TOKEN.sub(r"\1…", masked))


def _job_of(record: logging.LogRecord) -> object:
    """Return the id of the job that a record is about: what its text calls a job, or its field `job`."""
    before, named, _ = str(record.msg).partition("ob %s")
    if named and isinstance(record.args, tuple):
        return record.args[before.count("%")]
    return getattr(record, "job", None)


class TextFormatter(logging.Formatter):
    """Formats a record as one line, with the job's id if it is about a job, and with the process and its
    shards where there may be several."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        job = _job_of(record)
        line = super().format(record)
        if job is not None and str(job) not in line:
            line = f"{line} [job {job}]"
        if (origin := getattr(record, "origin", None)) is not None:
            line = f"{line} [{origin}]"
        return mask(visible(line))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        # Untrusted text must not start a line that looks like a record.
        record.message = " ".join(record.message.splitlines())
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """Formats a record as a JSON object: time, level, logger, message, and job and error if there are any."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (job := _job_of(record)) is not None:
            entry["job"] = str(job)
        if (origin := getattr(record, "origin", None)) is not None:
            entry |= {"process": origin.epoch, "shards": sorted(origin.shards)}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return mask(visible(json.dumps(entry, ensure_ascii=False)))


@dataclass(frozen=True, slots=True)
class Origin:
    """A process that shares its database with others, and the shards that it serves."""

    epoch: int
    shards: frozenset[int]

    def __str__(self) -> str:
        served = ",".join(map(str, sorted(self.shards))) or "-"
        return f"process {self.epoch}, shards {served}"


@contextmanager
def logging_origin(origin: Callable[[], Origin | None]) -> Generator[None]:
    """Add to each record of the block from which process it is."""

    def add(record: logging.LogRecord) -> bool:
        record.origin = origin()
        return True

    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(add)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(add)


class FilesShort(logging.Filter):
    """Lets one record a minute pass that says that too many files are open: each try of each part is one."""

    EVERY = 60.0  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._passed_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        if os.strerror(errno.EMFILE) not in text:
            return True
        if record.created - self._passed_at < self.EVERY:
            return False
        self._passed_at = record.created
        return True


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Send the log to standard error, and remove all other handlers."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(FilesShort())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quiet_libraries()


def quiet_libraries() -> None:
    """Raise the log levels of libraries that log details of their own."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # at INFO, on every start
    logging.getLogger("filelock").setLevel(logging.INFO)  # at DEBUG, twenty lines a second while it waits
