"""Jobs: what is asked for, the row that it becomes, its states, the hold of a key, and estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, Connection, ForeignKey, Index, Integer, String, Table, Text, event
from sqlalchemy.orm import Mapped, Mapper, composite, mapped_column, object_session

from bot.base import NUMBER, Base, Choice, ReasonText, partial_index
from bot.reasons import Reason

LOST_AFTER_DAYS = 7  # a job that runs for so long ends
UNRULED_DAYS = 30  # an unknown outcome then counts as charged
KEPT_DAYS = 30  # an output that could not be posted, or was withheld, is kept for so long
APPROVAL_HOURS = 24  # what no one has decided on then ends: a request unpaid, a result not posted


class Approval(StrEnum):
    """The state of the approval of a job's request or result. A job that needs none has no such state."""

    WANTED = "wanted"
    GIVEN = "given"


class JobState(StrEnum):
    """The state of a job. `NEXT_STATES` has the allowed changes."""

    RECEIVED = "received"
    PENDING = "pending"  # waits for a moderator's approval
    WAITING = "waiting"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    RUNNING = "running"
    REVIEWING = "reviewing"  # finished and paid; its result waits for a moderator's decision
    SUCCEEDED = "succeeded"
    WITHHELD = "withheld"  # finished and paid; its result is not posted, unless a moderator releases it
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


NEXT_STATES: Mapping[JobState, frozenset[JobState]] = {
    JobState.RECEIVED: frozenset(
        {JobState.PENDING, JobState.WAITING, JobState.FAILED, JobState.CANCELLED},
    ),
    JobState.PENDING: frozenset({JobState.WAITING, JobState.FAILED, JobState.CANCELLED}),
    JobState.WAITING: frozenset(
        # Back to received when its photo was evicted from the spool and must be fetched again.
        {JobState.RECEIVED, JobState.UPLOADING, JobState.SUBMITTING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.UPLOADING: frozenset(
        {JobState.SUBMITTING, JobState.WAITING, JobState.CANCELLED, JobState.FAILED},
    ),
    JobState.SUBMITTING: frozenset(
        {JobState.RUNNING, JobState.WAITING, JobState.FAILED, JobState.UNKNOWN},
    ),
    JobState.RUNNING: frozenset({JobState.REVIEWING, JobState.SUCCEEDED, JobState.FAILED}),
    JobState.REVIEWING: frozenset({JobState.SUCCEEDED, JobState.WITHHELD}),
    JobState.WITHHELD: frozenset({JobState.SUCCEEDED}),
    JobState.UNKNOWN: frozenset({JobState.RUNNING, JobState.FAILED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
# Nothing happens in these automatically any more, and the credits are settled or released.
TERMINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.WITHHELD})
# There is a result, and it is not shown to its person: a moderator has not decided yet, or declined it.
UNSHOWN_STATES = (JobState.REVIEWING, JobState.WITHHELD)
# Not sent to Studii yet: such a job can be cancelled and costs nothing.
UNSENT_STATES = (JobState.RECEIVED, JobState.PENDING, JobState.WAITING, JobState.UPLOADING)
# With Studii, or on their way there.
SENT_STATES = (JobState.SUBMITTING, JobState.RUNNING)
ACTIVE_STATES = (*UNSENT_STATES, *SENT_STATES)


class FailureCode(StrEnum):
    """The cause of a job's failure, for code to decide on. People read the words for `Job.failure_text`."""

    PHOTO = "photo"  # the source is not a supported picture
    INPUTS = "inputs"  # 400
    KEY = "key"  # 401
    CREDITS = "credits"  # 402
    PLAN = "plan"  # 403
    UPLOAD = "upload"  # the source could not be uploaded
    API = "api"  # Studii kept failing before it took the job
    STUDII = "studii"  # Studii took the job and says that it failed
    OUTPUT = "output"  # finished, but its output is gone or unusable
    LOST = "lost"  # Studii does not know the job any more, or it never ended
    BUDGET = "budget"  # its price turned out higher than assumed and exceeds a limit
    DECLINED = "declined"  # by a moderator, or no one approved it in time
    RULED = "ruled"  # an admin ruled on a job whose outcome was unknown


class Trouble(StrEnum):
    """What tries in a row have met."""

    ERROR = "error"  # polls that learned nothing: no answer,
    KEY = "key"  # a refusal of the key,
    MISSING = "missing"  # a 404,
    NO_ADDRESS = "no address"  # or no address of the output
    ROOM = "room"  # a photo, or an output, that found none in the spool


# Discord hides files whose names start with this behind a spoiler.
SPOILER = "SPOILER_"
UNKNOWN_MEMBER = 0  # in the place of the id of a photo's author, if that can't be determined


@dataclass(frozen=True, slots=True)
class MemberContext:
    """The facts about a member and their channel that access rules and limits depend on.

    `channels` are the channel and what it lies in: a thread's channel, a channel's category.
    """

    roles: frozenset[int] = frozenset()
    channels: frozenset[int] = frozenset()
    manages: bool = False  # Manage Server
    moderates: bool = False  # Manage Messages there, or Manage Server
    user_id: int = 0


@dataclass(frozen=True, slots=True)
class SourcePhoto:
    """The source photo of a job, as Discord describes it.

    `size` is in bytes, 0 if unknown (in a request). `message_id` and `channel_id` name the message with the
    photo, from which a fresh URL can be fetched. A photo attached to a command is in no message.
    """

    url: str
    filename: str
    content_type: str | None
    size: int
    message_id: int | None = None
    channel_id: int | None = None

    @property
    def hidden(self) -> bool:
        """Return whether it is behind a spoiler. Results made from it are hidden as well."""
        return self.filename.startswith(SPOILER)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job, before it is checked against limits.

    `inputs` are the values to send by the catalogue's names (see `Tool.prepare`). `photo_author` is who
    posted the source, if that may be another member. For `origin_message_id`, `once`, `tapped`,
    `age_restricted`, `post_channel_id`, `in_thread` and `set_id` see `Job`. `shown_price` is the price in
    credits that the person has seen, on a button; `agreed` the one that they were asked about, by the
    `confirmation`. `own` are the inputs that the person chose where an admin chose the others, for an emoji
    or a photo channel.
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
    shown_price: int | None = None
    agreed: int | None = None
    confirmation: str | None = None
    post_channel_id: int | None = None
    in_thread: bool | None = None
    set_id: str | None = None
    own: Mapping[str, str] = field(default_factory=dict[str, str])


FORGOTTEN_MEMBER = 0  # the member id on jobs and lines of members who were forgotten
GOING_OR_DONE = "once IS NOT NULL AND state NOT IN ('failed', 'cancelled')"


class Job(Base):
    """A job. Its state and credits change by functions of `bot.jobs` alone, which check what is allowed.

    `number` is the order of acceptance, which the wall clock may not tell.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(None, "state", "number"),
        Index(None, "guild_id", "user_id", "number"),
        Index(None, "guild_id", "user_id", "state"),
        Index(None, "key_id", "state"),
        # Holds all that a sum needs, so that a month's usage is read from the index alone.
        Index("ix_jobs_usage", "guild_id", "created_at", "user_id", "settled", "reserved"),
        partial_index("ix_jobs_origins", "origin_message_id", rows="origin_message_id IS NOT NULL"),
        partial_index("ix_jobs_photos", "source_message_id", rows="source_message_id IS NOT NULL"),
        partial_index("ix_jobs_results", "result_message_id", rows="result_message_id IS NOT NULL"),
        partial_index("ix_jobs_sets", "set_id", rows="set_id IS NOT NULL"),
        # Unfinished and succeeded jobs are not repeated. Failed and cancelled ones may be tried again.
        partial_index("uq_jobs_once", "once", unique=True, rows=GOING_OR_DONE),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False, repr=False, compare=False)
    id: Mapped[str] = mapped_column(String(16), unique=True)  # 16 hex digits
    guild_id: Mapped[int]
    channel_id: Mapped[int]
    user_id: Mapped[int]
    tool: Mapped[str]
    inputs: Mapped[Mapping[str, str]] = mapped_column(JSON, repr=False)
    # The inputs that change the price, as `Tool.variant` words them
    variant: Mapped[str] = mapped_column(repr=False)
    source: Mapped[SourcePhoto | None] = composite(
        mapped_column("source_url", Text, nullable=True),
        mapped_column("source_name", Text, nullable=True),
        mapped_column("source_type", Text, nullable=True),
        mapped_column("source_size", BigInteger, nullable=True),
        mapped_column("source_message_id", BigInteger),
        mapped_column("source_channel_id", BigInteger),
        repr=False,
    )
    private: Mapped[bool]
    state: Mapped[JobState] = mapped_column(Choice(JobState, "state"))
    version: Mapped[int] = mapped_column(Integer)  # incremented by each change that its progress shows
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]  # when the state changed last
    estimate: Mapped[int] = mapped_column(Integer)  # credits reserved when it was accepted
    reserved: Mapped[int] = mapped_column(Integer)  # credits still reserved, as in the ledger
    settled: Mapped[int] = mapped_column(Integer)  # credits charged in the end, as in the ledger
    # `credits_charged` of Studii's last answer
    charged: Mapped[int | None] = mapped_column(Integer, default=None)
    # A waiting job is not sent before, a photo or an output not fetched
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    # Why a job waits, or is not fetched
    held: Mapped[Reason | None] = mapped_column(ReasonText, default=None, repr=False)
    # Uploads that failed, or POST /jobs that Studii did not take (429, received 500)
    # While it runs: how often a fresh address of its output was asked for
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    source_file: Mapped[str | None] = mapped_column(default=None, repr=False)  # name in the spool
    # the key it was uploaded or submitted with
    key_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("studii_keys.id"), default=None)
    # Studii's name of the uploaded source
    object_key: Mapped[str | None] = mapped_column(default=None, repr=False)
    studii_id: Mapped[str | None] = mapped_column(default=None, repr=False)
    status_url: Mapped[str | None] = mapped_column(default=None, repr=False)
    studii_status: Mapped[str | None] = mapped_column(default=None)  # as Studii words it
    submitted_at: Mapped[datetime | None] = mapped_column(default=None)
    output_url: Mapped[str | None] = mapped_column(default=None, repr=False)
    output_kind: Mapped[str | None] = mapped_column(default=None)  # image or video
    output_file: Mapped[str | None] = mapped_column(default=None, repr=False)  # name in the spool
    finished_at: Mapped[datetime | None] = mapped_column(default=None)  # when its end was noticed
    failure: Mapped[FailureCode | None] = mapped_column(Choice(FailureCode), default=None)
    # why it failed, or its outcome is unknown
    failure_text: Mapped[Reason | None] = mapped_column(ReasonText, default=None, repr=False)
    posting: Mapped[int] = mapped_column(Integer, default=0)  # number of the posting of its result, from 0
    result_message_id: Mapped[int | None] = mapped_column(default=None)
    announced_at: Mapped[datetime | None] = mapped_column(default=None)  # when its outcome was posted
    # Who posted the photo, if not the requester; `UNKNOWN_MEMBER` once erased.
    photo_author: Mapped[int | None] = mapped_column(default=None)
    # the message of the photo that started it, where no interaction did
    origin_message_id: Mapped[int | None] = mapped_column(default=None)
    # unique among jobs that neither failed nor were cancelled
    once: Mapped[str | None] = mapped_column(default=None, repr=False)
    # the emoji (`Emoji.key`) of the reaction that started it
    tapped: Mapped[str | None] = mapped_column(default=None)
    # when its prompt, links and files' names were erased
    scrubbed_at: Mapped[datetime | None] = mapped_column(default=None)
    # Whether the reservation is from past charges with the server's key, else assumed.
    price_learned: Mapped[bool | None] = mapped_column(default=None)
    # the role from which the member's allowance came when it was accepted
    allowance_role: Mapped[int | None] = mapped_column(default=None)
    # approval of the request; None if not needed
    approval: Mapped[Approval | None] = mapped_column(Choice(Approval), default=None)
    # approval of the result; None if not needed
    result_approval: Mapped[Approval | None] = mapped_column(Choice(Approval), default=None)
    # requested in an age-restricted channel; None if unknown
    age_restricted: Mapped[bool | None] = mapped_column(default=None)
    # Whether the requester knows of a cancellation that was requested while it was sent; None without one
    cancel_told: Mapped[bool | None] = mapped_column(default=None)
    # the process that sent its last upload or submission, where there are several
    epoch: Mapped[int | None] = mapped_column(default=None)
    # where its result is to be posted, if not in its channel
    post_channel_id: Mapped[int | None] = mapped_column(default=None)
    # its result is to be posted in a thread under the photo
    in_thread: Mapped[bool | None] = mapped_column(default=None)
    # where its last word is, if not in its channel
    result_channel_id: Mapped[int | None] = mapped_column(default=None)
    # its last word was sent to its person by direct message
    result_by_dm: Mapped[bool | None] = mapped_column(default=None)
    # 16 hex digits: the same for jobs that were asked for together
    set_id: Mapped[str | None] = mapped_column(String(16), default=None)
    # number of the set's message that says how it ended, from 0
    set_message: Mapped[int | None] = mapped_column(Integer, default=None)
    # When the reservation was settled or released, which happens once
    resolved_at: Mapped[datetime | None] = mapped_column(default=None, repr=False)
    # When its member asked to be forgotten
    forgotten_at: Mapped[datetime | None] = mapped_column(default=None, repr=False)
    # Tries to decode one of its files since a decoder last answered of one
    decode_tries: Mapped[int | None] = mapped_column(Integer, default=None, repr=False)
    # Failures in a row of what is tried now: reaching Studii, asking it, fetching the photo or the output
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default="0", repr=False)
    trouble: Mapped[str | None] = mapped_column(String(16), default=None, repr=False)  # what kind they are of
    troubled_at: Mapped[datetime | None] = mapped_column(default=None, repr=False)  # the first of these

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL_STATES

    @property
    def hidden(self) -> bool:
        """Return whether its results are hidden behind a spoiler, as its photo was."""
        return self.source is not None and self.source.hidden

    @property
    def not_approved(self) -> bool:
        """Return whether moderators did not let it start. A result that isn't posted is another matter."""
        return self.state is JobState.FAILED and self.failure is FailureCode.DECLINED

    @property
    def over(self) -> bool:
        """Return whether nothing more happens to it automatically: it has ended, or is of unknown outcome."""
        return self.terminal or self.state is JobState.UNKNOWN

    def waits_until(self, key_id: int | None) -> datetime | None:
        """Return until when it waits if it is to be sent with that key, or None if it need not wait.

        It may wait after a failure of its own, or because its key is held. A hold of another key is over.
        """
        return self.not_before if self.held is None or self.key_id == key_id else None

    @property
    def posted_with_set(self) -> bool:
        """Return whether a message says how it ended together with others of its set.

        A message of its own says what may change: that the outcome is unknown, that a result is withheld. It
        also shows a result that is posted again.
        """
        lasting = self.terminal and self.state is not JobState.WITHHELD
        return self.set_id is not None and self.posting == 0 and lasting

    @property
    def nonce(self) -> str:
        """Return the nonce of one posting of the result, at most 25 characters."""
        return f"{self.id}-{self.posting}"


jobs = cast("Table", Job.__table__)


@event.listens_for(Job, "after_insert")
@event.listens_for(Job, "after_update")
def _tell(_mapper: Mapper[Any], _connection: Connection, job: Job) -> None:
    """Hand those who act on jobs the job as it is after the commit, so that they need not read it again."""
    if (session := object_session(job)) is not None:
        session.info["wakes"]["job", job.id] = job


class Hold(Base):
    """A server's key that Studii does not serve: why its jobs wait, and when one of them tries again.

    `since` is None if the key is held since before that was stored.
    """

    __tablename__ = "holds"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[int]
    reason: Mapped[Reason] = mapped_column(ReasonText, repr=False)
    until: Mapped[datetime]
    since: Mapped[datetime | None] = mapped_column(default=None)
    # how often in a row the key was refused
    tries: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


@dataclass(frozen=True, slots=True)
class Progress:
    """Estimates about a job that are not in its row. None means unknown.

    `position` is the position in the lane's queue, from 1. `starts_at` is when a waiting job will probably be
    sent, `ends_at` when its result will probably be noticed. `late` says that it has been running for longer
    than is usual. `waits_for_price` says that another job is sent first, to learn the price of both.
    """

    position: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    late: bool = False
    waits_for_price: bool = False


def are_variations(jobs: Sequence[Job] | Sequence[JobRequest]) -> bool:
    """Return whether jobs that were asked for together are of one photo, or of none."""
    # Discord may sign the address of one photo differently each time.
    photos = {None if one.source is None else one.source.url.partition("?")[0] for one in jobs}
    erased = any(isinstance(one, Job) and one.scrubbed_at is not None for one in jobs)
    return len(jobs) > 1 and len(photos) == 1 and not erased
