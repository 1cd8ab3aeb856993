"""What the tests put in the place of Discord: it remembers what it was told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.engine.workers.notices import Told
from bot.errors import PhotoUnavailable
from bot.jobs.confirm import Confirmation
from bot.jobs.delivery import Announcement, Posted, TooMuch
from bot.jobs.models import Job, Progress
from bot.jobs.sets import SetPart, SetPosting
from bot.media.spool import OutputFile
from bot.posts import Gone, Outcome, Post, Stands
from bot.servers.notices import NoticeKind


@dataclass
class Said:
    """One announcement, with the bytes that came with it."""

    job: Job
    output: bytes | None
    kind: str | None
    content_type: str | None
    before: bytes | None = None


@dataclass
class Recorder:
    """Takes everything in, unless `answers` holds other answers for the next announcements, in order."""

    said: list[Said] = field(default_factory=list[Said])
    cards: list[tuple[Job, Progress]] = field(default_factory=list[tuple[Job, Progress]])
    answers: list[Announcement] = field(default_factory=list[Announcement])
    notices: list[tuple[Post, int | None, Job | None]] = field(
        default_factory=list[tuple[Post, int | None, Job | None]]
    )
    shown: list[list[bytes]] = field(default_factory=list[list[bytes]])  # files, beside the notices
    rules: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])  # that sent requests
    notice_answers: list[Outcome] = field(default_factory=list[Outcome])
    card_answers: list[float | None] = field(default_factory=list[float | None])
    removed_cards: list[Job] = field(default_factory=list[Job])
    card_removal_answers: list[float | None] = field(default_factory=list[float | None])
    posted_cards: list[Job] = field(default_factory=list[Job])
    posting_answers: list[Announcement] = field(default_factory=list[Announcement])
    lost_cards: dict[str, list[Announcement]] = field(default_factory=dict[str, list[Announcement]])
    removed_questions: list[Confirmation] = field(default_factory=list[Confirmation])
    deleted: list[Post] = field(default_factory=list[Post])
    removal_answers: list[bool] = field(default_factory=list[bool])
    standing: dict[int, int] = field(default_factory=dict[int, int])  # posts' messages
    edited: list[Post] = field(default_factory=list[Post])
    edit_answers: list[Outcome] = field(default_factory=list[Outcome])
    sought: list[Post] = field(default_factory=list[Post])
    postings: list[SetPosting] = field(default_factory=list[SetPosting])
    set_answers: list[Announcement | TooMuch] = field(default_factory=list[Announcement | TooMuch])
    in_a_message: int = 5
    attempts: int = 0
    delay: float = 0.0

    async def show_card(self, job: Job, progress: Progress) -> float | None:
        self.cards.append((job, progress))
        return self.card_answers.pop(0) if self.card_answers else None

    async def remove_card(self, job: Job) -> float | None:
        self.removed_cards.append(job)
        return self.card_removal_answers.pop(0) if self.card_removal_answers else None

    async def post_card(self, job: Job, progress: Progress) -> Announcement:
        self.posted_cards.append(job)
        return self.posting_answers.pop(0) if self.posting_answers else Posted(7000 + len(self.posted_cards))

    async def find_card(self, job: Job) -> Announcement:
        answers = self.lost_cards.get(job.id)
        return answers.pop(0) if answers else Posted(None)

    async def announce(self, job: Job, output: OutputFile | None) -> Announcement:
        self.attempts += 1
        await asyncio.sleep(self.delay)
        answer = self.answers.pop(0) if self.answers else Posted(9000 + self.attempts)
        if isinstance(answer, Posted):
            self.said.append(await _said(job, output))
        return answer

    async def arrange(self, parts: Sequence[SetPart]) -> list[list[SetPart]]:
        return [list(parts[at : at + self.in_a_message]) for at in range(0, len(parts), self.in_a_message)]

    async def announce_set(self, posting: SetPosting) -> Announcement | TooMuch:
        self.attempts += 1
        await asyncio.sleep(self.delay)
        answer = self.set_answers.pop(0) if self.set_answers else Posted(9000 + self.attempts)
        if isinstance(answer, Posted):
            self.postings.append(posting)
            for part in posting.parts:
                self.said.append(await _said(part.job, part.output))
        return answer

    async def remove_question(self, question: Confirmation) -> bool:
        self.removed_questions.append(question)
        return self.removal_answers.pop(0) if self.removal_answers else True

    async def send(self, post: Post, shown: Told) -> Outcome:
        channel = int(post.place[1:]) if post.place.startswith("c") else None
        self.notices.append((post, channel, shown.job))
        if shown.shown is not None and post.kind == NoticeKind.APPROVAL:
            self.rules.append(shown.shown.rules)
        files = [] if shown.shown is None else [shown.shown.result, *shown.shown.photos]
        self.shown.append([await asyncio.to_thread(one.path.read_bytes) for one in files if one is not None])
        outcome = self.notice_answers.pop(0) if self.notice_answers else Stands(7000 + len(self.notices))
        if isinstance(outcome, Stands):
            self.standing[post.id] = outcome.message_id
        return outcome

    async def edit(self, post: Post, shown: Told) -> Outcome:
        self.edited.append(post)
        return self.edit_answers.pop(0) if self.edit_answers else Stands(post.message_id or 0)

    async def delete(self, post: Post) -> Outcome:
        self.deleted.append(post)
        self.standing.pop(post.id, None)
        return Gone()

    async def find(self, post: Post) -> Outcome:
        self.sought.append(post)
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
