"""Set how often, how long, how many times and how many at once the engine does its work. Seconds, unless a
name says otherwise.

Not here, but at the top of their modules: the figures of a calculation, as in the lane; how
much is remembered at most; and what the watchdog takes for a failure.
"""

from dataclasses import dataclass

from bot.jobs.models import KEPT_DAYS, LOST_AFTER_DAYS

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# On SQLite, where no other process writes but `forget-servers`: a process hears of what it commits itself,
# and when more is due.
REREAD_ALONE = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The defaults are those of production; tests shorten them."""

    # Requests (Studii API docs, "Rate limits": a number a minute per key).
    rate_period: float = 60.3  # a little more than the minute, for clocks that differ
    answer_bound: float = 70.0  # no answer comes later after the request was recorded (`Timeouts.total`)
    rate_block: float = 5.0  # first pause after a 429 that names none; doubles up to a minute
    rate_block_bound: float = 5 * MINUTE  # the longest pause, even if Retry-After says more
    paced_for: float = 5 * MINUTE  # after a 429

    requests_in_flight: int = 8  # of one lane
    starts_in_flight: int = 6  # of those, uploads and submissions

    # Submitting.
    tries: int = 6  # uploads, and submissions that Studii did not take
    unsent_tries: int = 30  # while Studii can't be reached at all; about an hour
    backoff: float = 2.0  # before the second try of anything; doubles with each
    backoff_bound: float = 2 * MINUTE
    key_retries: tuple[float, ...] = (MINUTE, 5 * MINUTE, 15 * MINUTE)
    held_bound: float = DAY  # a job that waited for a working key, or for room, that long ends
    drain: float = 8.0  # how long an answer is awaited when the engine is to stop

    # Polling.
    first_poll: float = 1.0  # the age at the first poll, and the shortest gap between two polls of a job
    poll_burst: float = 3.0  # the most polls that are saved up
    # The longest gap between two polls of a job, for all durations: `poll_bound`, or `poll_share` of the
    # job's age if that is more, up to five minutes.
    poll_bound: float = 15.0
    poll_share: float = 0.25
    decent_requests: float = 1.9  # submissions and polls that each running job has, or no other is sent
    missing_polls: int = 3  # that many 404s,
    missing_over: float = MINUTE  # over at least this, mean that the job is gone
    url_grace: float = 10 * MINUTE  # for a completed job without an output address
    hourly_after: float = DAY
    lost_after: float = LOST_AFTER_DAYS * DAY

    # Outside the lanes.
    intake_tries: int = 3
    patience: float = 5 * MINUTE  # for a photo to come
    intake_at_once: int = 8  # half of them for one server, a quarter for one member (see `DueJobs`)
    room_pause: float = 30.0  # until what found no room is tried again, if none becomes free
    downloads_at_once: int = 6
    download_tries: int = 8
    refetch_tries: int = 8  # before a result is announced without its file
    posts_at_once: int = 20  # places
    settled_after: float = MINUTE  # Discord makes no message of what was sent to it longer ago
    announcement_bound: float = 5 * MINUTE  # between two tries
    max_output_bytes: int = 500 * 1024 * 1024
    # A lane hears of a new job that much later, of all of a crowd together, and up to five times as much: the
    # answers to their people, some milliseconds of processor each, come first.
    answers_first: float = 0.1
    reread_every: float = 15.0  # workers and lanes read the database at least this often; see `REREAD_ALONE`
    undelivered_bound: float = KEPT_DAYS * DAY  # an output that could not be posted is kept that long
