"""Handle reactions, their removal, and deleted photos, in order of arrival."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import urlsplit

from bot.aio.tasks import BoundedDict
from bot.errors import Outage, Refused
from bot.jobs import actions, confirm, queries
from bot.jobs.actions import ensure_cancelled
from bot.jobs.models import ACTIVE_STATES, Job, JobRequest
from bot.reactions.backlog import Backlog
from bot.reactions.events import Tapped
from bot.servers import privacy
from bot.services import Services
from bot.ui.reading.photo_lookup import author_of

MAX_REMEMBERED_ORIGINS = 20_000  # messages: those that were tapped last


class TapKey(NamedTuple):
    """A member and the emoji of their reaction (`Emoji.key`), or the job id of an automatic job."""

    user_id: int
    emoji: str


class StartedJobs:
    """The job of each reaction, by message, in memory. It is None while the reaction is queued.

    Jobs may have ended long ago, so a caller that cancels one has to check it.
    """

    def __init__(self) -> None:
        self._messages = BoundedDict[int, dict[TapKey, str | None]](MAX_REMEMBERED_ORIGINS)

    def note(self, message_id: int, key: TapKey, job_id: str | None = None) -> None:
        """Note that a reaction is queued (None), or started a job."""
        keys = self._messages.get(message_id, {})
        keys[key] = job_id or keys.get(key)
        self._messages[message_id] = keys

    def forget(self, message_id: int, key: TapKey) -> None:
        """Forget the reaction."""
        keys = self._messages.get(message_id, {})
        keys.pop(key, None)
        if not keys:
            self._messages.pop(message_id, None)

    def job(self, message_id: int, key: TapKey) -> str | None:
        """Return the job that the reaction started, or None."""
        return self._messages.get(message_id, {}).get(key)

    def under(self, message_id: int, emoji: str | None = None) -> list[TapKey]:
        """Return the known reactions to the message, with that emoji or any (None)."""
        keys = self._messages.get(message_id, ())
        return [key for key in keys if emoji in {None, key.emoji}]


MAX_TAPS_OF_A_SERVER = 1000  # taps of a server
MAX_TAPS = 5000
TAPS_AT_ONCE = 16
OF_A_SERVER_AT_ONCE = 4
SOMEBODY_ELSE = 0  # who cancels, if it is not the member whose job it is


class _How(Enum):
    TAKEN_AWAY = auto()  # by its person
    CLEARED = auto()  # with everybody's, so it was not they who took it
    DELETED = auto()  # with the photo


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """A reaction was removed, or the photo of an automatic job.

    `left` are the paths of the photos that are still in the message. None means that none of its jobs are
    wanted any more.
    """

    guild_id: int
    message_id: int
    key: TapKey
    how: _How
    left: frozenset[str] | None = None


class ReactionJobs:
    """Starts jobs for reactions, and cancels waiting ones when the reaction is removed.

    Started jobs are remembered, so later changes of an emoji's tool do not matter. When the photo is deleted,
    automatic jobs are cancelled too; a result that can't be stopped is posted without the photo.
    """

    def __init__(self, services: Services, start: Callable[[Tapped], Awaitable[Job | None]]) -> None:
        self._services = services
        self._start = start
        self._started = StartedJobs()
        self._ran = StartedJobs()
        self._asked = StartedJobs()  # about taps, and about photos that run automatically: "" for the emoji
        self._backlog = Backlog[Tapped | _TakenBack](
            "jobs from reactions",
            self._do,
            bound=MAX_TAPS_OF_A_SERVER,
            bound_in_all=MAX_TAPS,
            at_once=TAPS_AT_ONCE,
            abreast=OF_A_SERVER_AT_ONCE,
            key=_whose,  # what a member does with a photo is done in order
        )

    async def load(self) -> None:
        """Load the unfinished jobs from before the start."""
        for job in await self._services.db.read(queries.in_states, ACTIVE_STATES):
            if job.origin_message_id is None:
                continue
            if job.tapped is None:
                self.made_from(job.origin_message_id, job)
            else:
                self.started_by(job.origin_message_id, job, job.tapped)

    def made_from(self, message_id: int, job: Job) -> None:
        """Note a job without a reaction, which ends only with its photo."""
        self._ran.note(message_id, TapKey(job.user_id, job.id), job.id)

    def started_by(self, message_id: int, job: Job, emoji: str) -> None:
        """Note a job that a reaction has started after its person was asked."""
        self._started.note(message_id, TapKey(job.user_id, emoji), job.id)

    def asked(self, request: JobRequest) -> None:
        """Note that the person is asked first, under the photo."""
        if request.origin_message_id is not None:
            self._asked.note(request.origin_message_id, TapKey(request.user_id, request.tapped or ""))

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    def add(self, tapped: Tapped) -> bool:
        """Queue the start of its job. Return False if too many wait already, and it is skipped."""
        taken = self._backlog.put(tapped.guild_id, tapped)
        if taken:
            self._started.note(tapped.message_id, _key(tapped))
        else:
            tapped.place.leave()
        return taken

    def take_back(self, guild_id: int, message_id: int, user_id: int, emoji: str) -> None:
        """Handle that the member removed their reaction."""
        key = TapKey(user_id, emoji)
        if key in (*self._started.under(message_id), *self._asked.under(message_id)):
            self._take_back(_TakenBack(guild_id, message_id, key, _How.TAKEN_AWAY))

    def clear(self, guild_id: int, message_id: int, emoji: str | None = None) -> None:
        """Handle that all reactions were removed, with that emoji or all (None)."""
        for key in {*self._started.under(message_id, emoji), *self._asked.under(message_id, emoji)}:
            self._take_back(_TakenBack(guild_id, message_id, key, _How.CLEARED))

    def deleted(self, guild_id: int, message_id: int) -> None:
        """Handle that the message was deleted with its photo."""
        for known in (self._started, self._ran, self._asked):
            for key in known.under(message_id):
                self._take_back(_TakenBack(guild_id, message_id, key, _How.DELETED))

    def edited(self, guild_id: int, message_id: int, left: Callable[[], frozenset[str]]) -> None:
        """Handle that the message was edited. `left` returns the paths of its photos."""
        keys = (*self._started.under(message_id), *self._ran.under(message_id))
        for key in keys:
            gone = _TakenBack(guild_id, message_id, key, _How.DELETED, left())
            self._backlog.put(guild_id, gone, at_once=True)

    def _take_back(self, gone: _TakenBack) -> None:
        def undone(one: Tapped | _TakenBack) -> bool:
            return isinstance(one, Tapped) and one.message_id == gone.message_id and _key(one) == gone.key

        for one in self._backlog.withdraw(gone.guild_id, undone):
            if isinstance(one, Tapped):
                one.place.leave()
        # A job that is being started is finished before.
        self._backlog.put(gone.guild_id, gone, at_once=True)

    async def _do(self, one: Tapped | _TakenBack) -> None:
        if isinstance(one, Tapped):
            job = await self._start(one)
            if job is not None:
                self._started.note(one.message_id, _key(one), job.id)
            elif self._started.job(one.message_id, _key(one)) is None:
                self._started.forget(one.message_id, _key(one))
            return
        if one.left is None and one.key in self._asked.under(one.message_id):
            about = one.guild_id, one.message_id, one.key.user_id, one.key.emoji or None
            await self._services.db.write(confirm.withdraw, *about, self._services.clock.now())
            self._asked.forget(one.message_id, one.key)
        for started in (self._started, self._ran):
            job_id = started.job(one.message_id, one.key)
            if one.left is not None and (job_id is None or await self._stands(job_id, one.left)):
                continue
            started.forget(one.message_id, one.key)
            if job_id is not None:
                try:
                    await self._undo(job_id, one)
                except Outage:
                    started.note(one.message_id, one.key, job_id)  # this is done again
                    raise

    async def _stands(self, job_id: str, left: frozenset[str]) -> bool:
        """Return whether the job's photo is still in its message.

        True for photos that are not attached, as Discord removes and restores previews.
        """
        job = await self._services.db.read(queries.get, job_id)
        if job is None or job.source is None:
            return False
        path = urlsplit(job.source.url).path
        return path in left or not path.startswith(f"/attachments/{job.source.channel_id}/")

    async def _undo(self, job_id: str, gone: _TakenBack) -> None:
        try:
            by = await self._whose_doing(job_id, gone)
            which = (job_id, gone.guild_id, by, self._services.clock.now())
            may = by == SOMEBODY_ELSE
            ensure_cancelled(await self._services.db.write(actions.cancel, *which, moderates=may))
        except Refused:  # it is being made, or has been
            if gone.how is _How.DELETED:
                file = await self._services.db.write(privacy.hide_photo, job_id)
                if file is not None:
                    await self._services.discard(file)
            else:
                self._ran.note(gone.message_id, TapKey(gone.key.user_id, job_id), job_id)

    async def _whose_doing(self, job_id: str, gone: _TakenBack) -> int:
        """Return the id of who cancels. The requester is notified unless that is they themselves."""
        if gone.how is _How.TAKEN_AWAY:
            return gone.key.user_id
        job = await self._services.db.read(queries.get, job_id)
        own = gone.how is _How.DELETED and job is not None and author_of(job) == job.user_id
        return job.user_id if job is not None and own else SOMEBODY_ELSE


def _whose(one: Tapped | _TakenBack) -> tuple[int, int]:
    return one.message_id, one.user_id if isinstance(one, Tapped) else one.key.user_id


def _key(tapped: Tapped) -> TapKey:
    return TapKey(tapped.user_id, tapped.emoji.key)
