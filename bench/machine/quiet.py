"""A delivery that posts nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import PhotoUnavailable
from bot.jobs.confirm import Confirmation
from bot.jobs.delivery import Announcement, Posted, TooMuch
from bot.jobs.models import Job, Progress
from bot.jobs.sets import SetPart, SetPosting
from bot.media.spool import OutputFile
from bot.posts import Gone, Outcome, Post, Stands


class Nobody:
    """A delivery and a photo source in one."""

    async def show_card(self, job: Job, progress: Progress) -> float | None:
        return None

    async def post_card(self, job: Job, progress: Progress) -> Announcement:
        return Posted(None)

    async def remove_card(self, job: Job) -> float | None:
        return None

    async def find_card(self, job: Job) -> Announcement:
        return Posted(None)

    async def announce(self, job: Job, output: OutputFile | None) -> Announcement:
        return Posted(1)

    async def arrange(self, parts: Sequence[SetPart]) -> list[list[SetPart]]:
        return [list(parts)]

    async def announce_set(self, posting: SetPosting) -> Announcement | TooMuch:
        return Posted(1)

    async def remove_question(self, question: Confirmation) -> bool:
        return True

    async def send(self, post: Post, shown: Any) -> Outcome:
        return Stands(1)

    async def edit(self, post: Post, shown: Any) -> Outcome:
        return Stands(1)

    async def delete(self, post: Post) -> Outcome:
        return Gone()

    async def find(self, post: Post) -> Outcome:
        return Gone()

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        raise PhotoUnavailable
