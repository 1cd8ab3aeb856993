"""Describe why a job waits, failed or is unknown as data: a code with arguments, worded when it is shown.

What is stored outlives the sentences: one may be reworded, or translated, and no stored row changes its
meaning. The words are in `bot.ui.kit.reasons`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from msgspec import DecodeError, Struct, json

Argument = str | int | float | bool


class ReasonCode(StrEnum):
    """The reasons that are known. The values are stored: they are never renamed or reused."""

    TEXT = "text"  # a finished sentence (`text`) of a version before the codes

    # The server's key
    NO_KEY = "no_key"
    NO_KEY_FOR_A_DAY = "no_key_for_a_day"
    KEY_UNREADABLE = "key_unreadable"
    KEY_MALFORMED = "key_malformed"
    KEY_REFUSED = "key_refused"  # detail
    KEY_REMOVED = "key_removed"
    OUT_OF_CREDITS = "out_of_credits"  # detail

    # Moderators
    DECLINED = "declined"  # detail
    NOT_APPROVED = "not_approved"
    REQUESTER_LEFT = "requester_left"
    APPROVALS_GONE = "approvals_gone"
    BLOCKED_MEANWHILE = "blocked_meanwhile"
    ACCESS_CHANGED = "access_changed"
    WORDS_CHANGED = "words_changed"
    RESULT_DECLINED = "result_declined"  # detail
    RESULT_NOT_SEEN = "result_not_seen"
    RESULT_REQUESTER_LEFT = "result_requester_left"
    RESULT_REVIEWS_GONE = "result_reviews_gone"
    RESULT_SERVER_REMOVED = "result_server_removed"

    # Before Studii has the job
    SERVER_MISSING = "server_missing"
    NO_ROOM_IN_BUDGET = "no_room_in_budget"  # price, reserved
    NO_ROOM_IN_ALLOWANCE = "no_room_in_allowance"  # price, reserved
    UNREACHABLE = "unreachable"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"
    MALFORMED_ANSWER = "malformed_answer"
    STUDII_TROUBLE = "studii_trouble"
    RATE_LIMITED = "rate_limited"
    API_FAILED = "api_failed"
    API_REFUSED = "api_refused"  # detail
    BAD_INPUTS = "bad_inputs"  # detail
    PLAN_REFUSED = "plan_refused"  # detail
    JOB_NOT_FOUND = "job_not_found"  # detail
    UPLOAD_FAILED = "upload_failed"
    UPLOAD_TOO_LARGE = "upload_too_large"

    # The photo
    PHOTO_UNKNOWN_KIND = "photo_unknown_kind"
    PHOTO_BUILT_ODDLY = "photo_built_oddly"  # kind
    PHOTO_BROKEN = "photo_broken"  # kind
    PHOTO_TOO_MANY_PIXELS = "photo_too_many_pixels"  # width, height, most
    PHOTO_GROWN_TOO_LARGE = "photo_grown_too_large"  # kind, size, most
    PHOTO_METADATA_BROKEN = "photo_metadata_broken"
    PHOTO_UNDECODABLE = "photo_undecodable"
    PHOTO_GONE = "photo_gone"
    PHOTO_NOT_FETCHED = "photo_not_fetched"
    PHOTO_LARGER_THAN_TAKEN = "photo_larger_than_taken"
    PHOTO_TOO_SLOW = "photo_too_slow"
    PHOTO_NO_ROOM = "photo_no_room"
    PHOTO_LOST = "photo_lost"
    NOT_STARTED = "not_started"  # photo: whether there is one

    # Studii has the job, or may have it
    OUTCOME_UNKNOWN = "outcome_unknown"
    ANSWER_LOST = "answer_lost"
    RESTORED = "restored"
    RUNNING_FOR_A_DAY = "running_for_a_day"
    STUDII_FAILED = "studii_failed"  # detail
    UNKNOWN_TO_STUDII = "unknown_to_studii"
    NEVER_ENDED = "never_ended"
    SERVER_REMOVED = "server_removed"
    RULED_CHARGED = "ruled_charged"
    RULED_RELEASED = "ruled_released"
    NOBODY_RULED = "nobody_ruled"

    # The output
    OUTPUT_WITHOUT_ADDRESS = "output_without_address"
    OUTPUT_UNSAFE_ADDRESS = "output_unsafe_address"
    OUTPUT_NOT_THERE = "output_not_there"
    OUTPUT_GONE = "output_gone"
    OUTPUT_NOT_FETCHED = "output_not_fetched"
    OUTPUT_DOWNLOAD_FAILED = "output_download_failed"
    OUTPUT_BROKEN = "output_broken"
    OUTPUT_NO_PICTURE = "output_no_picture"
    OUTPUT_TOO_LARGE = "output_too_large"  # limit, in bytes
    OUTPUT_UNEXPECTED_ERROR = "output_unexpected_error"


class Reason(Struct, frozen=True, omit_defaults=True):
    """A `ReasonCode`, or the code of a newer version of the bot, with what its sentence is made of."""

    code: str
    arguments: Mapping[str, Argument] = {}

    @classmethod
    def text(cls, text: str) -> Self:
        """Keep a finished sentence as it is."""
        return cls(ReasonCode.TEXT, {"text": text})

    def encode(self) -> str:
        """Return the reason as the text that is stored."""
        return json.encode(self).decode()

    @classmethod
    def decode(cls, stored: str) -> Self:
        """Read what is stored. Text that is no reason is a sentence of a version before the codes."""
        try:
            return json.decode(stored, type=cls)
        except DecodeError:
            return cls.text(stored)
