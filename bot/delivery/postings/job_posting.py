"""Make the message that is posted at the end of a job, and recognize it again."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import discord

from bot.delivery.context import DeliveryContext
from bot.delivery.destination import Place
from bot.delivery.history import is_marked
from bot.delivery.postings.showings import Showing, Showings
from bot.features.posting import PostingRules
from bot.jobs.models import Job, JobState
from bot.languages import lazy
from bot.media.spool import OutputFile
from bot.ui.jobs.results.buttons import DeleteButton
from bot.ui.jobs.results.ending import ending
from bot.ui.jobs.results.links import can_play
from bot.ui.jobs.results.result import linked_result, linked_video, plain_buttons, result
from bot.ui.kit.buttons import custom_id_of
from bot.ui.kit.host import custom_ids
from bot.ui.kit.marks import mark_of_nonce

TOO_LARGE = lazy("It's over Discord's size limit here, so I couldn't post it as a file.")
FILE_GONE = lazy("Its file was deleted before it could be posted.")


class Posting(Protocol):
    """One message with the last word on a job, or on several of a set.

    `jobs` share their channel, their person and whether they are private; `nonce` is the message's, once for
    each. `made`: it shows a result. `has_files`: for that it needs files. `owns_card`: a card says nothing
    beyond it.
    """

    @property
    def jobs(self) -> Sequence[Job]: ...
    @property
    def nonce(self) -> str: ...
    @property
    def made(self) -> bool: ...
    @property
    def has_files(self) -> bool: ...
    @property
    def owns_card(self) -> bool: ...

    def is_in(self, components: Iterable[Any]) -> bool:
        """Return whether a message of the bot with these components is it."""
        ...

    async def say(self, place: Place, limit: int, rules: PostingRules) -> int:
        """Send it with at most `limit` bytes of files, and return the message's id.

        Raises what Discord's calls raise.
        """
        ...


class JobPosting:
    """The last word on one job: its result, failure, cancellation or unknown outcome."""

    def __init__(self, job: Job, output: OutputFile | None, context: DeliveryContext) -> None:
        self._job = job
        self._output = output
        self._context = context
        self.jobs = (job,)
        self.nonce = job.nonce
        self.made = job.state is JobState.SUCCEEDED
        self.has_files = self.made and output is not None
        # The card of a set says more than one result; one that is shown again has a card of its own.
        self.owns_card = job.set_id is None or job.posting > 0

    def is_in(self, components: Iterable[Any]) -> bool:
        """Return whether a message of the bot with these components is it."""
        # An ordinary message (a video's link) has no numbers of ours, but the button that only postings have.
        button = custom_id_of(DeleteButton.action, self._job.id, self._job.posting)
        found = list(components)
        return is_marked(found, mark_of_nonce(self.nonce)) or button in custom_ids(found)

    async def say(self, place: Place, limit: int, rules: PostingRules) -> int:
        """Send it: the result with its file, or with its link if Discord takes no file of its size."""
        job, names = self._job, self._context.names
        if job.state is not JobState.SUCCEEDED:
            return await self._send(place, view=ending(job, names, by_dm=place.by_dm))
        if self._output is None:
            return await self._send_link(place, str(FILE_GONE), rules)
        return await self._send_file(place, self._output, limit, rules)

    async def _send_file(self, place: Place, output: OutputFile, limit: int, rules: PostingRules) -> int:
        async def send(showing: Showing) -> int:
            view = result(
                self._job,
                self._context.names,
                *showing.names,
                notes=showing.notes,
                disclosure=rules.disclosure_words,
                by_dm=place.by_dm,
            )
            return await self._send(place, view=view, files=showing.files)

        showings = Showings(self._job, output, limit, self._context, rules)
        sent = await showings.sent(send)
        return sent if sent is not None else await self._send_link(place, await why_without(output), rules)

    async def _send_link(self, place: Place, why: str, rules: PostingRules) -> int:
        job, names = self._job, self._context.names
        if can_play(job) and place.answer is None:  # a card can't become an ordinary message
            words = linked_video(job, names, why, disclosure=rules.disclosure_words, by_dm=place.by_dm)
            view = plain_buttons(job, names, by_dm=place.by_dm)
            return await self._send(place, content=words, view=view)
        view = linked_result(job, names, why, disclosure=rules.disclosure_words, by_dm=place.by_dm)
        return await self._send(place, view=view)

    async def _send(self, place: Place, **parts: Any) -> int:
        return await place.send(self.nonce, mention_of(self._job), **parts)


async def why_without(output: OutputFile | None) -> str:
    """Say why a result is posted without its file."""
    there = output is not None and await asyncio.to_thread(output.path.is_file)
    return str(TOO_LARGE if there else FILE_GONE)


def mention_of(job: Job) -> discord.AllowedMentions:
    """Return that the message notifies the job's requester alone."""
    return discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False
    )
