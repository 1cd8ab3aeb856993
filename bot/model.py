"""What the bot speaks of: jobs, servers' settings, money. Plain frozen values, no I/O.

Times are aware and in UTC, credits are whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bot.policy import Standing


class JobState(StrEnum):
    """Where a job stands. See `NEXT_STATES` for what may follow."""

    RECEIVED = "received"
    WAITING = "waiting"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


NEXT_STATES: Mapping[JobState, frozenset[JobState]] = {
    JobState.RECEIVED: frozenset({JobState.WAITING, JobState.FAILED, JobState.CANCELLED}),
    JobState.WAITING: frozenset(
        {JobState.UPLOADING, JobState.SUBMITTING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.UPLOADING: frozenset(
        {JobState.SUBMITTING, JobState.WAITING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.SUBMITTING: frozenset(
        {JobState.RUNNING, JobState.WAITING, JobState.FAILED, JobState.UNKNOWN},
    ),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED}),
    JobState.UNKNOWN: frozenset({JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
TERMINAL_STATES = frozenset(state for state, following in NEXT_STATES.items() if not following)


class FailureCode(StrEnum):
    """Why a job failed, for code to decide on; the sentence for people is beside it."""

    PHOTO = "photo"  # the source could not be fetched, or is no picture that we take
    INPUTS = "inputs"  # 400
    KEY = "key"  # 401
    CREDITS = "credits"  # 402
    PLAN = "plan"  # 403
    UPLOAD = "upload"
    API = "api"  # Studii kept failing before it took the job
    STUDII = "studii"  # Studii took the job and says that it failed
    OUTPUT = "output"  # finished, but its output is gone or unusable
    LOST = "lost"  # Studii does not know the job any more, or it never ended
    RULED = "ruled"  # an admin ruled on a job whose outcome was unknown


# How the name of a file begins that Discord hides behind a spoiler.
SPOILER = "SPOILER_"


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """The photo that a job starts from, as Discord tells of it (size in bytes; 0 in a request: not known).

    `message_id` and `channel_id` are the message that it stands in, from which a fresh address can be had; a
    command's photo stands in none.
    """

    url: str
    filename: str
    content_type: str | None
    size: int
    message_id: int | None = None
    channel_id: int | None = None

    @property
    def hidden(self) -> bool:
        """Whether its message hides it until one clicks on it; what is made of it is hidden likewise."""
        return self.filename.startswith(SPOILER)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a person asks for, before anything was checked against limits.

    `inputs` are the catalogue's names and the values to send (see `Tool.prepare`). `photo_author` is who
    posted the source, if that is known and may be somebody else. `origin_message_id`, `once`, `tapped` and
    `age_restricted`: see `Job`.
    """

    guild_id: int
    channel_id: int
    user_id: int
    tool: str
    inputs: Mapping[str, str]
    source: SourcePhoto | None = None
    private: bool = False
    standing: Standing = field(default_factory=Standing)
    photo_author: int | None = None
    origin_message_id: int | None = None
    once: str | None = None
    tapped: str | None = None
    age_restricted: bool | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One job, as the database has it."""

    id: str  # 16 hex digits
    guild_id: int
    channel_id: int
    user_id: int
    tool: str
    inputs: Mapping[str, str]
    variant: str  # the price-changing inputs, as `Tool.variant` words them
    source: SourcePhoto | None
    private: bool
    state: JobState
    version: int  # grows by one with each change that a person should see
    created_at: datetime
    changed_at: datetime  # of the last change of state
    estimate: int  # credits reserved when it was accepted
    reserved: int  # credits still reserved; equals the ledger
    settled: int  # credits paid in the end; equals the ledger
    charged: int | None = None  # `credits_charged` of Studii's last answer
    not_before: datetime | None = None  # a waiting job is left alone until then
    held: str | None = None  # why a waiting job waits, as a sentence for people
    attempts: int = 0  # POST /jobs sent that Studii did not take (429, received 500)
    source_file: str | None = None  # name in the spool
    key_id: int | None = None  # the key it was uploaded or submitted with
    object_key: str | None = None  # Studii's name of the uploaded source
    studii_id: str | None = None
    status_url: str | None = None
    studii_status: str | None = None  # in Studii's own word
    submitted_at: datetime | None = None
    output_url: str | None = None
    output_kind: str | None = None  # image or video
    output_file: str | None = None  # name in the spool
    finished_at: datetime | None = None  # when we saw it end
    failure: FailureCode | None = None
    failure_text: str | None = None  # a sentence for people, without what it cost
    card_message_id: int | None = None
    card_version: int = 0  # the version that the card shows
    posting: int = 0  # number of the posting of its result, from 0
    result_message_id: int | None = None
    announced_at: datetime | None = None  # when its last word reached the person
    photo_author: int | None = None  # who posted the photo, if not the requester; `NOBODY_KNOWN` once erased
    origin_message_id: int | None = None  # the photo's message, to which the bot posts the card as a reply
    once: str | None = None  # of all that are going or done, one job has it
    tapped: str | None = None  # the emoji (`Emoji.key`) that its person tapped for it
    scrubbed_at: datetime | None = None  # when what was written, linked and made was erased
    price_learned: bool | None = None  # the estimate is from past charges, else assumed; None: not known
    age_restricted: bool | None = None  # it was asked for in an age-restricted channel; None: not known

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL_STATES

    @property
    def nonce(self) -> str:
        """Names one posting of the result to Discord; at most 25 characters."""
        return f"{self.id}-{self.posting}"


class Period(StrEnum):
    """How often a server's budget renews, in the server's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"  # never: a one-off total


class Plan(StrEnum):
    """Studii's plans that have API access, by name.

    Rate limits: Studii API docs, "Rate limits" (Pro 60 a minute, Team and Business 300).
    """

    PRO = "pro"
    TEAM = "team"
    BUSINESS = "business"

    @property
    def requests_per_minute(self) -> int:
        return 60 if self is Plan.PRO else 300


NOBODY = 0  # whose jobs and credits are those of members who were forgotten
DEFAULT_BUDGET = 100  # credits a day, until an admin sets a budget


@dataclass(frozen=True, slots=True)
class Budget:
    """What a server may spend. `since` is when it was set: a one-off total counts from there."""

    limit: int = DEFAULT_BUDGET
    period: Period = Period.DAY
    since: datetime | None = None  # None: nobody has set one, the default holds


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """A server's settings; a server that never set anything has these defaults."""

    guild_id: int
    key_id: int | None = None
    budget: Budget = field(default_factory=Budget)
    timezone: str = "UTC"
    paused: bool = False  # new jobs are refused


@dataclass(frozen=True, slots=True)
class StudiiKey:
    """A server's key as storage keeps it: the secret itself is encrypted.

    `lane` is a keyed hash of the secret: two servers with one key share it.
    """

    id: int
    guild_id: int
    lane: str
    hint: str  # the last four characters
    plan: Plan
    ciphertext: bytes
    created_at: datetime
    retired_at: datetime | None = None
    plan_at: datetime | None = None  # when the plan was chosen; None: with the key

    @property
    def plan_chosen_at(self) -> datetime:
        return self.plan_at or self.created_at

    @property
    def masked(self) -> str:
        return f"stu_…{self.hint}"


@dataclass(frozen=True, slots=True)
class Window:
    """A budget's period around a moment: from `start` (None: since ever) until `end` (None: no end)."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits of a server, or of one member in it, within a window."""

    settled: int = 0
    reserved: int = 0

    @property
    def spent(self) -> int:
        return self.settled + self.reserved


class EntryKind(StrEnum):
    """What a line of the ledger says."""

    RESERVE = "reserve"
    CORRECT = "correct"
    SETTLE = "settle"
    RELEASE = "release"
    GRANT = "grant"
    ADJUST = "adjust"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the append-only ledger (amount in credits; a correction may be negative).

    `period` names the one in which an admin's line counts (`bot.credits.period_name`).
    """

    id: int
    guild_id: int
    user_id: int | None
    job_id: str | None
    kind: EntryKind
    amount: int
    at: datetime
    period: str | None


class NoticeKind(StrEnum):
    """What a server's admins are told of, in its log channel."""

    BUDGET_80 = "budget_80"
    BUDGET_100 = "budget_100"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"  # Studii's credits, or the cap of the account
    UNKNOWN = "unknown"  # nobody knows whether Studii took a job
    STILL_RUNNING = "still_running"  # a job that has been running for a day
    MADE = "made"  # who made what
    PLAN_DOUBTED = "plan_doubted"  # Studii refuses requests well under the plan's limit
    LOG_LOST = "log_lost"  # the log channel is gone: for the owner


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that admins are told once: there is one of each `kind` and `key` in a server.

    `details` are what its sentence is made of, as it was when it happened.
    """

    id: int
    guild_id: int
    kind: NoticeKind
    key: str
    details: Mapping[str, str | int | None]
    created_at: datetime
    job_id: str | None = None
    posted_at: datetime | None = None  # when it was posted, or given up
    message_id: int | None = None

    @property
    def nonce(self) -> str:
        """Names its posting to Discord; at most 25 characters."""
        return f"notice-{self.id}"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where a server's admins are told of things, and whether they want to read who made what."""

    channel_id: int | None = None
    results: bool = False


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of the ledger with what is known of its job."""

    id: int
    at: datetime
    kind: EntryKind
    amount: int
    user_id: int | None
    job_id: str | None
    tool: str | None
    variant: str | None
    state: JobState | None
    period: str | None  # in which an admin's line counts


@dataclass(frozen=True, slots=True)
class Spent:
    """What one tool (its slug) or one member (their id) spent or has set aside, and for how many jobs."""

    what: str | int
    credits: int
    jobs: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a job's way besides its row: its place in the lane's line, from 1, when it will
    probably be sent to Studii (a waiting one), and when its result will probably be seen; what is not known
    is None."""

    position: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A finished job's output, in the spool; `before` is the photo that it was made from, if it is kept."""

    path: Path
    kind: str  # image or video
    content_type: str
    size: int  # bytes
    before: "OutputFile | None" = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The job's last word stands in Discord; `message_id` of the new message, if one was made."""

    message_id: int | None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Discord could not take it now: again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """It can't be posted there; the output stays for the person to fetch. `reason` is for the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoPlace:
    """The channel is gone, or the bot may not post there any more. `reason` is for the log."""

    reason: str


Announcement = Posted | TryLater | Undeliverable
