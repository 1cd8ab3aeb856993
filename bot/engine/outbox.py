"""Bring what stands in Discord to what should stand there: send, edit or delete the posts that are due."""

import asyncio
import logging
from collections.abc import Awaitable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from bot import posts
from bot.aio.tasks import (
    FIRST_RETRY_SECONDS,
    TRANSFER_TIMEOUT,
    DrainingGroup,
    ErrorLog,
    StoreRetry,
    WakeUp,
    run_forever,
)
from bot.backoff import backoff
from bot.db import WRITE_TIMEOUT
from bot.engine.context import UNEXPECTED_TRIES, Delivery, EngineContext
from bot.errors import Outage
from bot.jobs.models import Approval, Job
from bot.posts import NOWHERE, SENT_SINCE, TOO_LONG, Gone, Later, Never, NotHere, Outcome, Post, Refuse, Turn

_log = logging.getLogger(__name__)

_NAME = "posts"


class Noted(NamedTuple):
    """The jobs whose end was posted, and the names of files that are not needed any more."""

    jobs: Sequence[Job] = ()
    files: Sequence[str] = ()


class Kind:
    """The making of posts of some kinds: where, of what, and what follows from that.

    As it is, that of a message that was sent already and goes once it has expired.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    def places(self, session: Session, post: Post) -> list[str]:
        """Return where it is to stand, best first."""
        return [post.place]

    def patience(self, post: Post) -> float | None:
        """Return for how many seconds it, or its removal, is tried since it was changed; None: no bound."""
        return self._context.tuning.post_bound

    async def load(self, post: Post) -> Any:
        """Return what the message is made of, or None if there is nothing to be said any more.

        Raises `Refuse`.
        """

    def note(
        self, session: Session, row: Post, post: Post, outcome: Outcome, at: datetime, *, last: bool
    ) -> Noted | None:
        """Note what came of a step of `post`, as it was claimed. `last`: nothing that is wanted stands,
        and nothing is tried again."""
        session.delete(row)


class Posts:
    """Works through the posts that are due: one message at a time in a place, places side by side."""

    def __init__(self, context: EngineContext, delivery: Delivery, kinds: Mapping[Any, Kind]) -> None:
        self._context, self._delivery, self._kinds = context, delivery, kinds
        self._wake_up = WakeUp()
        self._busy: set[str] = set()  # places
        self._waits = False  # whether something is due that a step has to end for
        self._began = context.clock.now().timestamp()
        self._retry = StoreRetry("storing what was posted", context.liveness, noun="post")
        self._errors = {noun: ErrorLog(_NAME, noun=noun) for noun in ("job", "post")}

    async def run(self) -> None:
        """Run until cancelled; ends only when all its tasks have."""
        async with DrainingGroup(self._context.tuning.drain) as group:
            await run_forever(_NAME, self._wake_up, lambda: self._turn(group))

    def reread(self) -> None:
        """Look for what is due now."""
        self._wake_up.set()

    async def _turn(self, group: DrainingGroup) -> float:
        """Begin what is due and has room. Return in how many seconds to look again."""
        context, clock = self._context, self._context.clock
        room = context.tuning.posts_at_once - len(self._busy)
        self._waits = room <= 0
        if self._waits:
            return context.tuning.reread_every
        db, now = context.db, clock.now()
        with context.liveness.operation(_NAME, progress=False):
            due_at = await db.read(posts.next_due)
            if due_at is not None and due_at <= now:
                busy = tuple(self._busy)
                turns, due_at = await db.write(posts.claim, self._places, self._again, now, room, busy)
                for turn in turns:
                    self._busy.add(turn.post.place)
                    group.create_task(self._do(turn), name=f"{_NAME} {turn.post.place}")
        if due_at is None:
            return context.tuning.reread_every
        rest = (due_at - clock.now()).total_seconds()
        self._waits = rest <= 0
        return min(context.tuning.reread_every, 1.0 if self._waits else rest)

    def _places(self, session: Session, post: Post) -> list[str]:
        return self._kinds[post.kind].places(session, post)

    def _again(self, tries: int) -> timedelta:
        bound = self._context.tuning.announcement_bound
        return timedelta(seconds=backoff(tries, FIRST_RETRY_SECONDS, bound))

    async def _do(self, turn: Turn) -> None:
        what = f"posting {turn.post.kind} (server {turn.post.guild_id})"
        # A file that is gone is fetched again, which takes long.
        with self._context.liveness.operation(what, TRANSFER_TIMEOUT) as ending:
            try:
                outcome = await self._bounded(turn)
                await self._retry.run(turn.post.id, self._note, turn, outcome)
            except Exception as error:  # noqa: BLE001 - it comes due again, and the others go on
                errors, subject = self._errors_of(turn.post)
                errors.failed(error, subject)
                ending.failed = True
            finally:
                self._busy.discard(turn.post.place)
                if self._waits:
                    self._wake_up.set()

    def _errors_of(self, post: Post) -> tuple[ErrorLog, Hashable]:
        if post.job_id is None:
            return self._errors["post"], post.id
        return self._errors["job"], post.job_id

    async def _bounded(self, turn: Turn) -> Outcome:
        """Take the step, until that was tried for too long."""
        post = turn.post
        try:
            outcome = await self._step(turn)
        except Refuse as refusal:
            return refusal.outcome
        except Exception as error:
            if isinstance(error, Outage) or post.tries < UNEXPECTED_TRIES:
                raise
            _log.exception("Post %d (%s) can't be made", post.id, post.kind, extra={"job": post.job_id})
            return Never("unexpected errors")
        errors, subject = self._errors_of(post)
        errors.succeeded(subject)
        patience = self._kinds[post.kind].patience(post)
        age = (self._context.clock.now() - post.changed_at).total_seconds()
        if isinstance(outcome, Later) and patience is not None and age >= patience:
            return TOO_LONG
        return outcome

    async def _step(self, turn: Turn) -> Outcome:
        """Send, edit or delete."""
        post, begun_before = turn.post, turn.begun_before
        if not (turn.removes or post.is_placed):
            return NOWHERE
        # What another life has sent, a restored backup may not know.
        earlier = int(post.details.get(SENT_SINCE) or self._began) < int(self._began)
        if post.message_id is None and post.is_placed and (begun_before is not None or earlier):
            found = await self._said(turn, self._delivery.find(post))
            if not isinstance(found, Gone):
                return found
        unsure = begun_before is not None and post.message_id is None
        waited = (self._context.clock.now() - (begun_before or post.created_at)).total_seconds()
        # What is not there may still be on its way from a process that died.
        rest = self._context.tuning.settled_after - waited
        settling = Later(rest) if unsure and rest > 0 else None
        if turn.removes:
            if post.message_id is not None:
                return await self._said(turn, self._delivery.delete(post))
            return settling or Gone()
        if turn.moved:
            return settling or Gone()
        shown = await self._kinds[post.kind].load(post)
        if shown is None:
            return settling or Never()
        if post.message_id is None:
            return await self._said(turn, self._delivery.send(post, shown))
        return await self._said(turn, self._delivery.edit(post, shown))

    async def _said(self, turn: Turn, request: Awaitable[Outcome]) -> Outcome:
        try:
            async with asyncio.timeout(self._context.tuning.delivery_patience):
                return await request
        except TimeoutError:
            told, post = "Server %d: posting %s took too long", turn.post
            _log.warning(told, post.guild_id, post.kind, extra={"job": post.job_id})
            return Later()

    async def _note(self, turn: Turn, outcome: Outcome) -> None:
        now, post = self._context.clock.now(), turn.post

        def note(session: Session) -> Noted | None:
            row = posts.note(session, turn, outcome, now)
            if row is None or type(outcome) is Later:
                return None
            last = row.due_at is None and not (row.wanted and row.message_id)
            return self._kinds[post.kind].note(session, row, post, outcome, now, last=last)

        jobs, files = await self._context.db.write(note, within=WRITE_TIMEOUT) or Noted()
        if isinstance(outcome, NotHere | Never) and outcome.why and outcome is not NOWHERE:
            told = "Server %d: a message (%s) was not posted: %s"
            _log.warning(told, post.guild_id, post.kind, outcome.why, extra={"job": post.job_id})
        for job in jobs:
            _log.info("Job %s is posted", job.id)
            if job.finished_at is not None:
                # A result that had to be approved is late since then, not since its end.
                approved = job.result_approval is Approval.GIVEN
                self._context.posted(
                    (now - (job.changed_at if approved else job.finished_at)).total_seconds()
                )
        if files:
            await self._context.spool.remove(*files)
