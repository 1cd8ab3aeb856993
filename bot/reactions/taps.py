"""Taps, their taking back, and the deleting of photos, in the order in which they came."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from bot.domain import Job
from bot.errors import Refused
from bot.reactions.events import Tapped
from bot.reactions.origins import StartedJobs, TapKey
from bot.reactions.queue import Backlog
from bot.services import JobService, PrivacyService
from bot.ui.reading.authors import author_of

_log = logging.getLogger(__name__)

WAITING = 100  # taps of a server
WAITING_IN_ALL = 1000
AT_ONCE = 4
SOMEBODY_ELSE = 0  # who cancels, if it is not the member whose job it is


class _How(Enum):
    TAKEN_AWAY = auto()  # by its person
    CLEARED = auto()  # with everybody's, so it was not they who took it
    DELETED = auto()  # with the photo


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """Somebody's emoji is gone, or the photo under which something ran by itself.

    `left`: the paths of the photos that still stand in the message; None if all that it started is meant.
    """

    guild_id: int
    message_id: int
    key: TapKey
    how: _How
    left: frozenset[str] | None = None


class Taps:
    """Starts what was tapped, and cancels what still waits when the reaction goes.

    What a tap started is remembered, so it does not matter what its emoji stands for by then. When the
    photo itself goes, so does what ran by itself; a result that can't be stopped comes without the photo.
    """

    def __init__(
        self,
        jobs: JobService,
        privacy: PrivacyService,
        start: Callable[[Tapped], Awaitable[Job | None]],
    ) -> None:
        self._jobs = jobs
        self._privacy = privacy
        self._start = start
        self._started = StartedJobs()
        self._ran = StartedJobs()
        self._backlog = Backlog[Tapped | _TakenBack](
            "jobs from reactions", self._do, bound=WAITING, bound_in_all=WAITING_IN_ALL, at_once=AT_ONCE
        )

    async def load(self) -> None:
        """Remember what photos had started before the bot was."""
        for job in await self._jobs.going_under_photos():
            if job.origin_message_id is None:
                continue
            if job.tapped is None:
                self.made_from(job.origin_message_id, job)
            else:
                self._started.note(job.origin_message_id, TapKey(job.user_id, job.tapped), job.id)

    def made_from(self, message_id: int | None, job: Job) -> None:
        """Nobody tapped for it: it goes with its photo alone."""
        if message_id is not None:
            self._ran.note(message_id, TapKey(job.user_id, job.id), job.id)

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    def add(self, tapped: Tapped) -> None:
        """Start its job in a moment."""
        if self._backlog.put(tapped.guild_id, tapped):
            self._started.note(tapped.message_id, _key(tapped))

    def take_back(self, guild_id: int, message_id: int, user_id: int, emoji: str) -> None:
        """That person's emoji is gone."""
        key = TapKey(user_id, emoji)
        if key in self._started.under(message_id):
            self._take_back(_TakenBack(guild_id, message_id, key, _How.TAKEN_AWAY))

    def clear(self, guild_id: int, message_id: int, emoji: str | None = None) -> None:
        """Somebody took everybody's away: of that emoji, or (None) of all."""
        for key in self._started.under(message_id, emoji):
            self._take_back(_TakenBack(guild_id, message_id, key, _How.CLEARED))

    def deleted(self, guild_id: int, message_id: int) -> None:
        """The message is gone, with its photo."""
        for key in (*self._started.under(message_id), *self._ran.under(message_id)):
            self._take_back(_TakenBack(guild_id, message_id, key, _How.DELETED))

    def edited(self, guild_id: int, message_id: int, left: Callable[[], frozenset[str]]) -> None:
        """The message was edited; `left` tells the paths of its photos."""
        keys = (*self._started.under(message_id), *self._ran.under(message_id))
        for key in keys:
            gone = _TakenBack(guild_id, message_id, key, _How.DELETED, left())
            self._backlog.put(guild_id, gone, first=True)

    def _take_back(self, gone: _TakenBack) -> None:
        def undone(one: Tapped | _TakenBack) -> bool:
            return isinstance(one, Tapped) and one.message_id == gone.message_id and _key(one) == gone.key

        self._backlog.withdraw(gone.guild_id, undone)
        # It costs no request, and each moment counts; what is being started now is done before it.
        self._backlog.put(gone.guild_id, gone, first=True)

    async def _do(self, one: Tapped | _TakenBack) -> None:
        if isinstance(one, Tapped):
            job = await self._start(one)
            if job is not None:
                self._started.note(one.message_id, _key(one), job.id)
            elif self._started.job(one.message_id, _key(one)) is None:
                self._started.forget(one.message_id, _key(one))
            return
        for started in (self._started, self._ran):
            job_id = started.job(one.message_id, one.key)
            if one.left is not None and (job_id is None or await self._stands(job_id, one.left)):
                continue
            started.forget(one.message_id, one.key)
            if job_id is not None:
                await self._undo(job_id, one)

    async def _stands(self, job_id: str, left: frozenset[str]) -> bool:
        """Whether the job's photo is still in the message that it was found in.

        Of what is not attached that can't be told: Discord takes previews out and puts them back.
        """
        job = await self._jobs.get(job_id)
        if job is None or job.source is None:
            return False
        path = urlsplit(job.source.url).path
        return path in left or not path.startswith(f"/attachments/{job.source.channel_id}/")

    async def _undo(self, job_id: str, gone: _TakenBack) -> None:
        try:
            by = await self._whose_doing(job_id, gone)
            await self._jobs.cancel(job_id, gone.guild_id, by, moderates=by == SOMEBODY_ELSE)
        except Refused:  # it is being made, or has been
            if gone.how is _How.DELETED:
                await self._privacy.hide_photo(job_id)
            else:
                self._ran.note(gone.message_id, TapKey(gone.key.user_id, job_id), job_id)

    async def _whose_doing(self, job_id: str, gone: _TakenBack) -> int:
        """Those who cancel their own job know it, as do those who delete their own photo; others are told."""
        if gone.how is _How.TAKEN_AWAY:
            return gone.key.user_id
        job = await self._jobs.get(job_id) if gone.how is _How.DELETED else None
        return job.user_id if job is not None and author_of(job) == job.user_id else SOMEBODY_ELSE


def _key(tapped: Tapped) -> TapKey:
    return TapKey(tapped.user_id, tapped.emoji.key)
