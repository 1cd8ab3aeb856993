"""A delivery that posts nothing."""

from collections.abc import Sequence
from pathlib import Path

from bot.domain import Announcement, ChannelGone, ForModerators, Job, OutputFile, Posted, Progress, TooMuch
from bot.domain.confirmations import Confirmation
from bot.domain.offers import Offer
from bot.domain.posting.sets import SetPart, SetPosting
from bot.errors import PhotoUnavailable
from bot.servers.notices import Notice


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

    async def remove_offer(self, offer: Offer) -> bool:
        return True

    async def reduce_request(self, job: Job, asked: Notice, channel_id: int) -> bool:
        return True

    async def post_notice(
        self, notice: Notice, channel_id: int | None, job: Job | None, shown: ForModerators | None = None
    ) -> Announcement | ChannelGone:
        return Posted(None)

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        raise PhotoUnavailable
