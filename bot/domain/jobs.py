"""Jobs: what was asked for, where it stands, and what is known of its way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.access import MemberContext


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
        # Back to received when its photo gave way in the spool, to be fetched again.
        {JobState.RECEIVED, JobState.UPLOADING, JobState.SUBMITTING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.UPLOADING: frozenset(
        {JobState.SUBMITTING, JobState.WAITING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.SUBMITTING: frozenset(
        {JobState.RUNNING, JobState.WAITING, JobState.FAILED, JobState.UNKNOWN},
    ),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED}),
    JobState.UNKNOWN: frozenset({JobState.RUNNING, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
TERMINAL_STATES = frozenset(state for state, following in NEXT_STATES.items() if not following)
# What Studii has not been asked for yet: it can be cancelled, and costs nothing.
UNSENT_STATES = (JobState.RECEIVED, JobState.WAITING, JobState.UPLOADING)


class FailureCode(StrEnum):
    """Why a job failed, for code to decide on; the sentence for people is beside it."""

    PHOTO = "photo"  # the source is no picture that we take
    INPUTS = "inputs"  # 400
    KEY = "key"  # 401
    CREDITS = "credits"  # 402
    PLAN = "plan"  # 403
    UPLOAD = "upload"  # the source did not come through, by no fault of its own
    API = "api"  # Studii kept failing before it took the job
    STUDII = "studii"  # Studii took the job and says that it failed
    OUTPUT = "output"  # finished, but its output is gone or unusable
    LOST = "lost"  # Studii does not know the job any more, or it never ended
    BUDGET = "budget"  # its price turned out higher than assumed, and no limit has room for it
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
    context: MemberContext = field(default_factory=MemberContext)
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
    held: str | None = None  # why a job waits, or is not fetched, as a sentence for people
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
    photo_author: int | None = (
        None  # who posted the photo, if not the requester; `UNKNOWN_MEMBER` once erased
    )
    origin_message_id: int | None = None  # the photo's message, to which the bot posts the card as a reply
    once: str | None = None  # of all that are going or done, one job has it
    tapped: str | None = None  # the emoji (`Emoji.key`) that its person tapped for it
    scrubbed_at: datetime | None = None  # when what was written, linked and made was erased
    price_learned: bool | None = (
        None  # the reservation is from past charges with the server's key, else assumed
    )
    allowance_role: int | None = None  # the role from which the member's allowance came when it was accepted
    age_restricted: bool | None = None  # it was asked for in an age-restricted channel; None: not known

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL_STATES

    @property
    def nonce(self) -> str:
        """Names one posting of the result to Discord; at most 25 characters."""
        return f"{self.id}-{self.posting}"


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a job's way besides its row: its place in the lane's line, from 1, when it will
    probably be sent to Studii (a waiting one), and when its result will probably be seen; what is not known
    is None. `waits_for_price`: another job is sent first, to learn what both cost."""

    position: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    waits_for_price: bool = False
