"""A delivery that posts nothing."""

from datetime import datetime
from pathlib import Path
from typing import Any

from bot.errors import PhotoUnavailable
from bot.jobs.models import Job
from bot.posts import Gone, Outcome, Post, Stands


class Nobody:
    """A delivery and a photo source in one."""

    async def send(self, post: Post, shown: Any) -> Outcome:
        return Stands(1)

    async def edit(self, post: Post, shown: Any) -> Outcome:
        return Stands(1)

    async def delete(self, post: Post) -> Outcome:
        return Gone()

    async def find(self, post: Post, begun: datetime | None) -> Outcome:
        return Gone()

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        raise PhotoUnavailable
