"""How the bot's log looks: lines for people or JSON for machines, and no secret in either."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Literal

from bot.domain.visible import visible

_SECRET = re.compile(r"\bstu_[A-Za-z0-9_\-]{4,}|\bBearer\s+[^\s'\"]+")
# The user and password of a proxy or a database, in an address or a header.
_ACCOUNT = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)|(?<=\bBasic )[A-Za-z0-9+/=]{8,}")
# The token of an interaction in an address of Discord's, which lets anybody answer for a quarter of an hour.
_TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^\s/?'\"]+")
# What an address is signed with.
_QUERY = re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>]*")


def mask(text: str) -> str:
    """Return the text without Studii keys, users and passwords, tokens of interactions, and signatures.

    A second fence: nothing logs them on purpose, but libraries do, and their error texts hold them.
    """
    masked = _ACCOUNT.sub("…", _SECRET.sub("stu_…", text))
    return _QUERY.sub(r"\1?…", _TOKEN.sub(r"\1…", masked))


class TextFormatter(logging.Formatter):
    """One readable line, with the job's id where the line is about a job."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        job = getattr(record, "job", None)
        line = super().format(record)
        return mask(visible(line if job is None or str(job) in line else f"{line} [job {job}]"))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        # What others wrote does not begin a line that looks like one of ours.
        record.message = " ".join(record.message.splitlines())
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and job and error where there are."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (job := getattr(record, "job", None)) is not None:
            entry["job"] = str(job)
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return mask(visible(json.dumps(entry, ensure_ascii=False)))


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Send the log to standard error, in place of whatever was set up before."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quiet_libraries()


def quiet_libraries() -> None:
    """Leave out what libraries tell of their own workings, which says nothing of what it is about."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # at INFO, on every start
    logging.getLogger("stamina").setLevel(logging.ERROR)  # each repeated request; its end is logged by us
