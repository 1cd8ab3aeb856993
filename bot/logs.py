"""How the bot's log looks: lines for people or JSON for machines, and no secret in either."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Literal

_SECRET = re.compile(r"\bstu_[A-Za-z0-9_\-]{4,}|\bBearer\s+[^\s'\"]+")
# The user and password of a proxy or a database, in an address or a header.
_ACCOUNT = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)|(?<=\bBasic )[A-Za-z0-9+/=]{8,}")


def mask(text: str) -> str:
    """The text without anything that looks like a Studii key, or a user and password.

    A second fence: nothing logs one on purpose, but a library's error text might hold it.
    """
    return _ACCOUNT.sub("…", _SECRET.sub("stu_…", text))


class TextFormatter(logging.Formatter):
    """One readable line, with the job's id where the line is about a job."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        job = getattr(record, "job", None)
        line = super().format(record)
        return mask(line if job is None or str(job) in line else f"{line} [job {job}]")


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
        return mask(json.dumps(entry, ensure_ascii=False))


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
