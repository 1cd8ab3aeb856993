"""What the tests put in the place of Discord: it remembers what it was told."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.engine.posts import Told
from bot.errors import PhotoUnavailable
from bot.jobs.models import Job
from bot.jobs.results import HOURGLASS, EndOfJobs
from bot.media.spool import OutputFile
from bot.posts import RESULT, Gone, NotHere, Outcome, Post, Stands


@dataclass
class Said:
    """One announcement, with the bytes that came with it."""

    job: Job
    output: bytes | None
    kind: str | None
    content_type: str | None
    before: bytes | None = None
    place: str = ""


@dataclass
class Recorder:
    """Takes everything in, unless `answers` holds other answers for the next announcements, in order."""

    said: list[Said] = field(default_factory=list[Said])
    hourglasses: list[str] = field(default_factory=list[str])  # messages
    closed: bool = False  # people's direct messages
    closed_places: set[str] = field(default_factory=set[str])
    answers: list[Outcome] = field(default_factory=list[Outcome])
    notices: list[tuple[Post, int | None, Job | None]] = field(
        default_factory=list[tuple[Post, int | None, Job | None]]
    )
    shown: list[list[bytes]] = field(default_factory=list[list[bytes]])  # files, beside the notices
    notice_answers: list[Outcome] = field(default_factory=list[Outcome])
    deleted: list[Post] = field(default_factory=list[Post])
    standing: dict[int, int] = field(default_factory=dict[int, int])  # posts' messages
    edited: list[Post] = field(default_factory=list[Post])
    postings: list[tuple[Post, EndOfJobs]] = field(default_factory=list[tuple[Post, EndOfJobs]])  # of sets
    set_answers: list[Outcome] = field(default_factory=list[Outcome])
    attempts: int = 0

    async def send(self, post: Post, shown: Any) -> Outcome:
        if post.kind == HOURGLASS:
            self.hourglasses.append(post.key)
            return Stands(int(post.key))
        outcome = await (self._end(post, shown) if post.kind == RESULT else self._notice(post, shown))
        if isinstance(outcome, Stands):
            self.standing[post.id] = outcome.message_id
        return outcome

    async def _end(self, post: Post, ending: EndOfJobs) -> Outcome:
        self.attempts += 1
        if self.closed and post.place.startswith("u"):
            return NotHere("direct messages are closed")
        together = ending.job.posted_with_set
        answers = self.set_answers if together else self.answers
        outcome = answers.pop(0) if answers else Stands(9000 + self.attempts)
        if isinstance(outcome, Stands):
            self.postings += [(post, ending)] if together else []
            self.said += [
                replace(await _said(part.job, part.output), place=post.place) for part in ending.parts
            ]
        return outcome

    async def _notice(self, post: Post, shown: Any) -> Outcome:
        channel = int(post.place[1:]) if post.place.startswith("c") else None
        self.notices.append((post, channel, getattr(shown, "job", None)))
        if post.place in self.closed_places:
            return NotHere("closed")
        if not isinstance(shown, Told):
            return self.notice_answers.pop(0) if self.notice_answers else Stands(7000 + len(self.notices))
        files = [] if shown.shown is None else [shown.shown.result, *shown.shown.photos]
        self.shown.append([await asyncio.to_thread(one.path.read_bytes) for one in files if one is not None])
        return self.notice_answers.pop(0) if self.notice_answers else Stands(7000 + len(self.notices))

    async def edit(self, post: Post, shown: Any) -> Outcome:
        self.edited.append(post)
        return Stands(post.message_id or 0)

    async def delete(self, post: Post) -> Outcome:
        self.deleted.append(post)
        self.standing.pop(post.id, None)
        return Gone()

    async def find(self, post: Post, _begun: datetime | None) -> Outcome:
        there = self.standing.get(post.id)
        return Gone() if there is None else Stands(there)


async def _said(job: Job, output: OutputFile | None) -> Said:
    data = None if output is None else await asyncio.to_thread(output.path.read_bytes)
    kind, content_type = (output.kind, output.content_type) if output else (None, None)
    source = output.before if output else None
    before = None if source is None else await asyncio.to_thread(source.path.read_bytes)
    return Said(job, data, kind, content_type, before)


@dataclass
class Album:
    """Photos by their address."""

    photos: Mapping[str, bytes]
    on_fetch: Callable[[Job], None] = lambda _: None
    fetched: list[str] = field(default_factory=list[str])

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        assert job.source is not None
        self.fetched.append(job.id)
        self.on_fetch(job)
        data = self.photos.get(job.source.url)
        if data is None:
            raise PhotoUnavailable
        await asyncio.to_thread(destination.write_bytes, data)
