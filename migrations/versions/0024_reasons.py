"""Why a job waits, failed or is unknown is kept as a code with arguments; other sentences stay."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BATCH = 1000
_LOOK_THERE = "It may still be in the Studii account: ask the server's admins."
_NEW_KEY = "An admin can make a new key at studii.tech/app/settings/api-keys and enter it with `/studii key`."
_MORE_CREDITS = (
    "Either the Studii account is out of credits, and an admin can add some at studii.tech; or the spend cap "
    "of its key is reached, and an admin can raise it at studii.tech/app/settings/api-keys."
)
_OTHER_PLAN = "Try another tool or other settings, or ask an admin about the plan at studii.tech."
_SENTENCES = {
    "This server has no Studii key at the moment. An admin can set one with `/studii key`; this job then "
    "goes on by itself.": "no_key",
    "This server had no Studii key for a day. An admin can set one with `/studii key`; then try again.": (
        "no_key_for_a_day"
    ),
    "This server's Studii key can't be read any more, because the bot's encryption key has changed. An admin "
    "can set it again with `/studii key`.": "key_unreadable",
    "That is not a Studii API key: it holds spaces or characters that no key has.": "key_malformed",
    f"The key that this was made with was taken out before Studii had finished. {_LOOK_THERE}": "key_removed",
    "For a day it was not clear whether the bot was still in this server, so this was not started.": (
        "server_missing"
    ),
    "Studii can't be reached at the moment. It is tried again by itself.": "unreachable",
    "Studii could not be reached. Please try again in a moment.": "not_sent",
    "Studii did not answer. Please try again in a moment.": "no_answer",
    "Studii gave an answer that could not be understood. Please try again in a moment.": "malformed_answer",
    "Studii could not be reached properly just now. Please try again in a moment.": "studii_trouble",
    "Studii is busy with this server's other requests. Please try again in a minute.": "rate_limited",
    "Studii had a problem of its own. Please try again in a moment.": "api_failed",
    "The picture could not be sent to Studii. Please try again.": "upload_failed",
    "This picture is too large for Studii. Please use a smaller one.": "upload_too_large",
    "That file is not a picture that can be read. Please use a JPEG, PNG, WebP or HEIC photo.": (
        "photo_unknown_kind"
    ),
    "That photo's file is damaged, so its metadata can't be removed. Send it again, or use another one.": (
        "photo_metadata_broken"
    ),
    "This picture can't be read: it stopped the program that opens pictures, twice. Please use another one, "
    "or save it anew as a JPEG or PNG.": "photo_undecodable",
    "Discord no longer has that photo. Please attach it again.": "photo_gone",
    "The photo could not be fetched from Discord. Please try again in a moment.": "photo_not_fetched",
    "That photo is larger than this bot takes. Send a smaller one.": "photo_larger_than_taken",
    "The photo took too long to arrive. Please try again.": "photo_too_slow",
    "The bot has no room for another photo at the moment. Please try again in a few minutes.": (
        "photo_no_room"
    ),
    "The photo is no longer on the bot's disk. Please try again.": "photo_lost",
    "Studii may or may not have taken this job: its answer did not arrive. It is not sent again, so that "
    "nobody pays twice; an admin can look it up at studii.tech and decide.": "outcome_unknown",
    "Studii's answer to its submission got lost.": "answer_lost",
    "A backup was taken back, made while this was waiting, so nobody knows whether Studii has made it since. "
    "It is not sent by itself; the server's admins can settle it with `/jobs`.": "restored",
    "Studii has been at this for more than a day. It is looked at every hour, and ends after seven days, at "
    "what Studii has charged for it.": "running_for_a_day",
    f"Studii says that it does not know this job any more. {_LOOK_THERE}": "unknown_to_studii",
    "Studii never finished this job.": "never_ended",
    "The bot was removed from the server while this was being made, and with it the server's Studii key.": (
        "server_removed"
    ),
    "An admin looked it up: Studii had made this. The picture can be found in the Studii account.": (
        "ruled_charged"
    ),
    "An admin looked it up: Studii never made this. You can ask for it again.": "ruled_released",
    "Nobody settled within 30 days whether Studii had made this, so it counts as charged.": "nobody_ruled",
    f"Studii finished this job but never said where its result is. {_LOOK_THERE}": "output_without_address",
    "Studii finished this job, but I don't open addresses like the one of its result. "
    f"{_LOOK_THERE}": "output_unsafe_address",
    f"Studii made this, but its result is not where Studii says it is. {_LOOK_THERE}": "output_not_there",
    "The result is no longer at the address that Studii gave.": "output_gone",
    "Studii made this, but its result could not be fetched from there, however often it was tried.": (
        "output_not_fetched"
    ),
    "The result is ready, but it could not be fetched from Studii. Please try again in a moment.": (
        "output_download_failed"
    ),
    "Studii made this, but the picture arrives damaged each time. The link below may still open it.": (
        "output_broken"
    ),
    "What Studii gave as the result is neither a picture nor a video.": "output_no_picture",
    "Studii made this, but fetching its result failed for a reason that nobody foresaw.": (
        "output_unexpected_error"
    ),
}


def _quoting(lead: str, remedy: str = "") -> str:
    """Match a sentence that quotes Studii's words, and the same sentence without any."""
    return rf"{re.escape(lead[:-1])}(?:\.|: “(?P<detail>.*?)”\.?){re.escape(f' {remedy}'.rstrip())}"


_NOT_STARTED = (
    r"Something that nobody foresaw stood in the way before anything was sent to Studii\. Please try again"
    r"(?P<photo> with another photo)?; if it stays like this, tell whoever hosts this bot\."
)
_COSTS = r"This costs (?P<price>[\d,]+) credits, more than the (?P<reserved>[\d,]+) that were reserved, and "
_KIND = r"(?P<kind>JPEG|PNG|WebP|HEIC|AVIF|GIF|TIFF|BMP)"
_PATTERNS: Sequence[tuple[str, str]] = (
    ("key_refused", _quoting("Studii does not accept this server's API key.", _NEW_KEY)),
    ("out_of_credits", _quoting("Studii has no credits left for this.", _MORE_CREDITS)),
    ("bad_inputs", _quoting("Studii did not accept these inputs.", "Change them and try again.")),
    ("plan_refused", _quoting("The Studii plan of this server does not allow this.", _OTHER_PLAN)),
    ("job_not_found", _quoting("Studii does not know this job.")),
    ("api_refused", _quoting("Studii turned this request down.")),
    ("studii_failed", _quoting("Studii could not finish this job.")),
    (
        "no_room_in_budget",
        _COSTS + r"the server's budget has no room for it\. An admin can raise it with `/studii budget`\.",
    ),
    (
        "no_room_in_allowance",
        _COSTS + r"your allowance has no room for it\. An admin can raise it with `/studii allowance`\.",
    ),
    ("not_started", _NOT_STARTED),
    (
        "photo_broken",
        rf"That {_KIND} picture is broken or incomplete\. Please send it again, or use another one\.",
    ),
    (
        "photo_built_oddly",
        rf"That {_KIND} file is not built like a photo, so it was not opened\. Please open it in a photo "
        r"app, save it as a new JPEG, and use that\.",
    ),
)
_NUMBERS = frozenset({"price", "reserved"})


def coded(sentence: str) -> str | None:
    """Return what is stored for that sentence from now on, or None if it stays as it is."""
    if (code := _SENTENCES.get(sentence)) is not None:
        return _stored(code, {})
    for code, pattern in _PATTERNS:
        found = re.fullmatch(pattern, sentence)
        if found is not None:
            return _stored(code, {name: _value(name, text) for name, text in found.groupdict().items()})
    return None


def _value(name: str, text: str | None) -> Any:
    if name == "photo":
        return text is not None
    return int(text.replace(",", "")) if name in _NUMBERS and text is not None else text


def _stored(code: str, arguments: dict[str, Any]) -> str:
    given = {name: value for name, value in arguments.items() if value is not None}
    kept = {"code": code, "arguments": given} if given else {"code": code}
    return json.dumps(kept, ensure_ascii=False)


def upgrade() -> None:
    held, failure_text = sa.column("held", sa.Text), sa.column("failure_text", sa.Text)
    jobs = sa.table("jobs", sa.column("number", sa.BigInteger), held, failure_text)
    holds = sa.table("holds", sa.column("guild_id", sa.BigInteger), sa.column("reason", sa.Text))
    notices = sa.table(
        "notices", sa.column("id", sa.BigInteger), sa.column("details", sa.JSON), sa.column("posted_at")
    )
    _rewrite(jobs, jobs.c.number, jobs.c.held, coded)
    _rewrite(jobs, jobs.c.number, jobs.c.failure_text, coded)
    _rewrite(holds, holds.c.guild_id, holds.c.reason, coded)
    # As text: what is no JSON is left for those who read it one by one.
    details = sa.cast(notices.c.details, sa.Text)
    _rewrite(
        notices, notices.c.id, notices.c.details, _told, read=details, which=notices.c.posted_at.is_(None)
    )


def _told(details: str) -> Any:
    try:
        read: Any = json.loads(details)
    except ValueError:
        return None
    told = cast("dict[str, Any]", read) if isinstance(read, dict) else {}
    reason = coded(str(told.get("reason")))
    return None if reason is None else {**told, "reason": reason}


def _rewrite(
    table: sa.TableClause,
    key: sa.ColumnClause[Any],
    column: sa.ColumnClause[Any],
    change: Callable[[str], Any],
    *,
    read: sa.ColumnElement[Any] | None = None,
    which: sa.ColumnElement[bool] | None = None,
) -> None:
    """Change a column's values row by row, in parts, as there may be as many as there are jobs."""
    connection = op.get_bind()
    query = sa.select(key, column if read is None else read).where(column.is_not(None))
    if which is not None:
        query = query.where(which)
    rows = [(number, change(value)) for number, value in connection.execute(query)]
    changes = [{"at": number, "new": new} for number, new in rows if new is not None]
    update = sa.update(table).where(key == sa.bindparam("at")).values({column: sa.bindparam("new")})
    for start in range(0, len(changes), BATCH):
        connection.execute(update, changes[start : start + BATCH])
