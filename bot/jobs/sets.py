"""In which messages the ends of a set's jobs are posted, and when. Pure."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.jobs.delivery import Posted
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile

# https://discord.com/developers/docs/components/reference#media-gallery
MAX_FILES_IN_MESSAGE = 10  # in a message


@dataclass(frozen=True, slots=True)
class SetPart:
    """A job of a set that has ended. `number` is its photo's place in the set, from 1; `output` is its file,
    if there is one."""

    job: Job
    number: int
    output: OutputFile | None


@dataclass(frozen=True, slots=True)
class SetPosting:
    """One message with the ends of some of a set's jobs. `number` is that message's among the set's, from 0;
    `whole` are all jobs of the set as they are now."""

    set_id: str
    number: int
    parts: tuple[SetPart, ...]
    whole: tuple[Job, ...]

    @property
    def nonce(self) -> str:
        """Return the message's nonce, at most 25 characters."""
        return f"{self.set_id}-{self.number}"

    @property
    def is_news(self) -> bool:
        """Return whether it says what had not ended at the set's last message: then it notifies."""
        said = [job.announced_at for job in self.whole if job.announced_at is not None]
        return not said or any(part.job.changed_at > max(said) for part in self.parts)

    @property
    def complete(self) -> bool:
        """Return whether it says how all photos of the set ended, but for those that were cancelled."""
        said = {part.job.id for part in self.parts}
        return all(job.id in said or job.state is JobState.CANCELLED for job in self.whole)


def unposted(whole: Iterable[Job]) -> list[Job]:
    """Return the jobs of a set that have ended and whose end no message has said."""
    return [job for job in whole if job.posted_with_set and job.announced_at is None]


def post_at(whole: Sequence[Job], patience: timedelta) -> datetime | None:
    """Return from when on what has ended is posted. None if that is at once, as nothing else will end.

    `patience` is how long others are waited for, from the end of the first.
    """
    if all(job.over for job in whole):
        return None
    return min(job.changed_at for job in whole if job.over) + patience


def next_number(whole: Iterable[Job]) -> int:
    """Return the number of the set's next message, from 0."""
    return 1 + max((job.set_message for job in whole if job.set_message is not None), default=-1)


def arranged(
    parts: Sequence[SetPart], room: int, *, count: Callable[[SetPart], int], size: Callable[[SetPart], int]
) -> list[list[SetPart]]:
    """Distribute parts over as few messages as take them in this order, about equally many in each.

    `count` is the number of files of a part, `size` the bytes that it needs; `room` is what a message takes.
    One that needs more is alone in its message.
    """

    def fits(some: Sequence[SetPart]) -> bool:
        return sum(map(count, some)) <= MAX_FILES_IN_MESSAGE and sum(map(size, some)) <= room

    packed: list[list[SetPart]] = []
    for part in parts:
        if packed and fits([*packed[-1], part]):
            packed[-1].append(part)
        else:
            packed.append([part])
    least = len(packed)
    bounds = [len(parts) * number // max(least, 1) for number in range(least + 1)]
    equal = [list(parts[start:end]) for start, end in itertools.pairwise(bounds)]
    return equal if all(map(fits, equal)) else packed


def after_posting(posting: SetPosting, said: Posted, at: datetime) -> list[Job]:
    """Return the set's jobs as they are once that message is there."""
    posted = {part.job.id for part in posting.parts}
    return [
        replace(job, announced_at=at, result_message_id=said.message_id) if job.id in posted else job
        for job in posting.whole
    ]


def card_is_superseded(whole: Iterable[Job], said: Posted) -> bool:
    """Return whether the set's card has nothing to say any more: messages say how all of its jobs ended."""
    if said.message_id is None or said.keeps_card:
        return False
    return all(
        job.posted_with_set
        and job.announced_at is not None
        # Of a cancelled one its person knows.
        and (job.result_message_id is not None or job.state is JobState.CANCELLED)
        for job in whole
    )
