"""Stands where Discord would, and says nothing."""

from pathlib import Path

from bot.errors import PhotoUnavailable
from bot.model import Announcement, Job, OutputFile, Posted, Progress


class Nobody:
    """A delivery and a photo source in one."""

    async def show_card(self, job: Job, progress: Progress) -> bool:
        return True

    async def announce(self, job: Job, output: OutputFile | None) -> Announcement:
        return Posted(1)

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        raise PhotoUnavailable
