"""A job as the database has it, and estimates about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.approvals import Approval
from bot.domain.jobs.request import SourcePhoto
from bot.domain.jobs.states import TERMINAL_STATES, FailureCode, JobState
from bot.reasons import Reason

FORGOTTEN_MEMBER = 0  # the member id on jobs and lines of members who were forgotten


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the table of jobs."""

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
    version: int  # incremented by each change that the card shows
    created_at: datetime
    changed_at: datetime  # when the state changed last
    estimate: int  # credits reserved when it was accepted
    reserved: int  # credits still reserved, as in the ledger
    settled: int  # credits charged in the end, as in the ledger
    charged: int | None = None  # `credits_charged` of Studii's last answer
    not_before: datetime | None = None  # a waiting job is not sent before
    held: Reason | None = None  # why a job waits, or is not fetched
    attempts: int = 0  # number of POST /jobs that Studii did not take (429, received 500)
    source_file: str | None = None  # name in the spool
    key_id: int | None = None  # the key it was uploaded or submitted with
    object_key: str | None = None  # Studii's name of the uploaded source
    studii_id: str | None = None
    status_url: str | None = None
    studii_status: str | None = None  # as Studii words it
    submitted_at: datetime | None = None
    output_url: str | None = None
    output_kind: str | None = None  # image or video
    output_file: str | None = None  # name in the spool
    finished_at: datetime | None = None  # when its end was noticed
    failure: FailureCode | None = None
    failure_text: Reason | None = None  # why it failed, or its outcome is unknown
    card_message_id: int | None = None
    card_version: int = 0  # the version that the card shows
    posting: int = 0  # number of the posting of its result, from 0
    result_message_id: int | None = None
    announced_at: datetime | None = None  # when its outcome was posted
    # Who posted the photo, if not the requester; `UNKNOWN_MEMBER` once erased.
    photo_author: int | None = None
    origin_message_id: int | None = None  # the photo's message, to which the bot posts the card as a reply
    once: str | None = None  # unique among jobs that neither failed nor were cancelled
    tapped: str | None = None  # the emoji (`Emoji.key`) of the reaction that started it
    scrubbed_at: datetime | None = None  # when its prompt, links and files' names were erased
    # Whether the reservation is from past charges with the server's key, else assumed.
    price_learned: bool | None = None
    allowance_role: int | None = None  # the role from which the member's allowance came when it was accepted
    approval: Approval | None = None  # approval of the request; None if not needed
    result_approval: Approval | None = None  # approval of the result; None if not needed
    age_restricted: bool | None = None  # requested in an age-restricted channel; None if unknown
    # Whether the requester knows of a cancellation that was requested while it was sent; None without one
    cancel_told: bool | None = None
    epoch: int | None = None  # the process that sent its last upload or submission, where there are several
    card_superseded_at: datetime | None = None  # when a posting took the card's place; the card is removed
    post_channel_id: int | None = None  # where its result is to be posted, if not in its channel
    in_thread: bool | None = None  # its result is to be posted in a thread under the photo, or the card
    result_channel_id: int | None = None  # where its last word is, if not in its channel
    result_by_dm: bool | None = None  # its last word was sent to its person by direct message
    set_id: str | None = None  # 16 hex digits: the same for jobs that were asked for together
    set_message: int | None = None  # number of the set's message that says how it ended, from 0

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL_STATES

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


@dataclass(frozen=True, slots=True)
class Progress:
    """Estimates about a job that are not in its row. None means unknown.

    `position` is the position in the lane's queue, from 1. `starts_at` is when a waiting job will probably be
    sent, `ends_at` when its result will probably be noticed. `late` says that it has been running for longer
    than is usual. `waits_for_price` says that another job is sent first, to learn the price of both.
    `whole_set` are the jobs of its set as they are now, if it is of one.
    """

    position: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    late: bool = False
    waits_for_price: bool = False
    whole_set: tuple[Job, ...] = ()
