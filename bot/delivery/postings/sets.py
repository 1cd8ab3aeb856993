"""Post how several jobs of a set have ended, in one message."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.delivery.calls import unless_too_large
from bot.delivery.context import DeliveryContext
from bot.delivery.destination import Place
from bot.delivery.history import is_marked
from bot.delivery.postings.job_posting import mention_of, why_without
from bot.delivery.postings.showings import MIN_BEFORE_BYTES, STAGING, Showing, Showings
from bot.features.posting import PostingRules
from bot.jobs.models import JobState
from bot.jobs.sets import SetPart, SetPosting, arranged
from bot.ui.jobs.sets.set_result import ShownPhoto, set_result
from bot.ui.kit.marks import mark_of_nonce
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.kit.uploads import MESSAGE_MARGIN_BYTES

BEFORE_ROOM_BYTES = 4 * MIN_BEFORE_BYTES  # bytes that a photo before has beside its result, at least


class TooMuchAtOnce(Exception):
    """Together, the files are too large for a message."""


class SetMessage:
    """One message of a set: what became of some of its photos."""

    def __init__(self, posting: SetPosting, context: DeliveryContext) -> None:
        self._posting = posting
        self._context = context
        self._filed = [part for part in posting.parts if part.output is not None]
        self.jobs = tuple(part.job for part in posting.parts)
        self.nonce = posting.nonce
        self.made = any(job.state is JobState.SUCCEEDED for job in self.jobs)
        self.has_files = bool(self._filed)
        self.owns_card = posting.complete

    def is_in(self, components: Iterable[Any]) -> bool:
        """Return whether a message of the bot with these components is this one."""
        return is_marked(components, mark_of_nonce(self.nonce))

    async def say(self, place: Place, limit: int, rules: PostingRules) -> int:
        """Send it. A result whose file Discord doesn't take even alone is shown smaller, or without it.

        Raises `TooMuchAtOnce` if fewer jobs could be said with their files.
        """
        if len(self._filed) > 1 and sum(map(_size, self._filed)) > limit:
            raise TooMuchAtOnce
        showings = {part.job.id: self._showings(part, limit, rules) for part in self._filed}
        if len(showings) == 1:
            ((job_id, showing),) = showings.items()
            sent = await showing.sent(lambda one: self._send(place, {job_id: one}, rules))
            return sent if sent is not None else await self._send(place, {}, rules)
        if not showings:
            return await self._send(place, {}, rules)
        # None is larger than its share, which is as much as it needs.
        # Photos before are made smaller side by side, as far as there are decoders.
        made = await asyncio.gather(*(one.whole() for one in showings.values()))
        shown = dict(zip(showings, made, strict=True))
        sent = await unless_too_large(self._send(place, shown, rules))
        if sent is None:
            raise TooMuchAtOnce
        return sent

    async def _send(self, place: Place, showings: Mapping[str, Showing | None], rules: PostingRules) -> int:
        shown = {one: showing for one, showing in showings.items() if showing is not None}
        photos: dict[str, ShownPhoto] = {}
        for part in self._posting.parts:
            found = shown.get(part.job.id)
            if found is not None:
                photos[part.job.id] = ShownPhoto(found.names, [str(note) for note in found.notes])
            elif part.job.state is JobState.SUCCEEDED:
                photos[part.job.id] = ShownPhoto(notes=[await why_without(part.output)])
        panel = set_result(
            self._posting, self._context.names, photos, disclosure=rules.disclosure_words, by_dm=place.by_dm
        )
        files = [file for showing in shown.values() for file in showing.files]
        try:
            mentions = mention_of(self.jobs[0]) if self._posting.is_news else NO_MENTIONS
            return await place.send(self.nonce, mentions, view=panel, **({"files": files} if files else {}))
        finally:
            for showing in shown.values():
                showing.close()

    def _showings(self, part: SetPart, limit: int, rules: PostingRules) -> Showings:
        """Return what may be shown of a part within its share of the message."""
        if part.output is None:
            raise ValueError("a part without a file has nothing to show")
        share = limit
        if len(self._filed) > 1:
            made = sum(one.output.size for one in self._filed if one.output is not None)
            share = part.output.size + (limit - made) // len(self._filed)
        return Showings(part.job, part.output, share, self._context, rules)


def arranged_for(parts: Sequence[SetPart], limit: int, rules: PostingRules) -> list[list[SetPart]]:
    """Distribute parts over messages that take `limit` bytes of files each."""
    return arranged(parts, limit, count=lambda part: _count(part, rules), size=_size)


def _count(part: SetPart, rules: PostingRules) -> int:
    """Return the largest number of files that a part may have."""
    if part.output is None:
        return 0
    if part.output.before is None:
        return 1
    labelled = bool(rules.staging_label) and part.job.tool == STAGING
    return 2 + rules.splits + labelled


def _size(part: SetPart) -> int:
    """Return the bytes that a part needs, with a photo before that may be made smaller."""
    if part.output is None:
        return 0
    before = 0 if part.output.before is None else BEFORE_ROOM_BYTES
    return part.output.size + MESSAGE_MARGIN_BYTES + before
