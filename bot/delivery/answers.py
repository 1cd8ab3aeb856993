"""Interactions' answers: they show how jobs are going, and those are given that were left unanswered."""

import asyncio
import contextlib
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import discord

from bot.aio.tasks import DrainingGroup, WakeUp, run_forever
from bot.backoff import backoff
from bot.catalog import Catalog
from bot.clock import Clock
from bot.connections import UNUSABLE
from bot.db import Database
from bot.jobs import answers, results
from bot.jobs.answers import LAST_EDIT, LIFETIME, PACE, PLACE_KNOWN_IN, Reply, subject_of
from bot.jobs.models import Job, JobState, Progress
from bot.languages import ReaderLanguages, lazy, speaking
from bot.ui.jobs.progress import progress_panel
from bot.ui.kit.answers import DISCORD_ERRORS, NO_MENTIONS
from bot.ui.kit.layout import BAD, Panel, boxed
from bot.vault import CannotDecrypt, Vault

_log = logging.getLogger(__name__)

LEFT_UNANSWERED = lazy(
    "The bot was interrupted before it could answer. If you wanted to start a job, no new one was started "
    "and nothing was charged. If you were changing something, first check whether it was done. Then try "
    "again."
)
GATHERED = 0.2  # seconds after a change: what follows at once is shown with it
EVERY = timedelta(seconds=15)  # places in the queue are looked at
SELDOM = timedelta(minutes=1)  # what changes with a commit, or with time
MOMENT = timedelta(seconds=3)  # states that soon pass are shown once they have lasted so long
AGAIN_SECONDS, MAX_AGAIN_SECONDS = 2.0, 60.0  # after an edit that Discord could not make; doubles
DRAIN_SECONDS = 3.0
THIS: Any = "@original"  # Discord's name of an interaction's answer
RESULT_SHOWN = "result"  # in place of a digest
_TIME = re.compile(r"<t:([0-9]+):R>")
Came = Callable[..., None]  # stores what came of an edit


class Answers:
    """Keeps answers up to date until their tokens expire. Jobs change by `commits`.

    `db` is where rows are written, which can't wait for those who wait for a lock. `progress_of` returns a
    lane's estimates of a job.

    Handlers call `defer`, `answered`, `give_up` and `show`, which don't raise: a job goes on without an
    answer.
    """

    def __init__(
        self,
        commits: Database,
        db: Database,
        vault: Vault,
        clock: Clock,
        client: discord.Client,
        catalog: Catalog,
        readers: ReaderLanguages,
        progress_of: Callable[[str], Awaitable[Progress]],
    ) -> None:
        self._commits, self._db, self._vault, self._clock = commits, db, vault, clock
        self._client, self._catalog, self._readers, self._progress_of = client, catalog, readers, progress_of
        self._life = secrets.randbits(31)
        self._wake_up, self._inherits = WakeUp(), True  # at the start, too
        self._changed = dict[str, bool]()  # subjects until they were looked at, and whether they have ended
        self._busy = dict[int, str | None]()  # answers that are being edited, with their subjects
        self._replaced = set[int]()  # answers that show something else since they were last looked for
        self._writing = set[asyncio.Task[bool]]()

    async def defer(self, interaction: discord.Interaction) -> None:
        """Keep the interaction, whose deferral is sent next. No one waits for that for long."""
        await self._kept(interaction, due_at=self._clock.now() + LAST_EDIT)  # its handler is done by then

    async def show(self, interaction: discord.Interaction, subject: str, panel: Panel | None = None) -> None:
        """Let the interaction's answer, which is the panel, show the job or the set of that id as long as
        Discord allows it."""
        due_at, shown = self._clock.now() + PLACE_KNOWN_IN, "" if panel is None else _digest(panel)
        await self._kept(interaction, due_at=due_at, subject=subject, shown=shown)

    async def answered(self, interaction: discord.Interaction) -> None:
        """Forget the interaction, which was answered."""
        await self._write(answers.drop, interaction.id)

    def give_up(self, interaction: discord.Interaction) -> None:
        """Let the interaction be answered later: its handler could not."""
        self._begin(self._db.write(answers.note, interaction.id, due_at=self._clock.now()))

    def look_again(self) -> None:
        """Let what was left unanswered in servers that are served from now on be answered, too."""
        self._inherits = True
        self._wake_up.set()

    async def run(self) -> None:
        """Edit and give answers until cancelled."""
        try:
            with self._commits.listening(self._notify):
                async with DrainingGroup(DRAIN_SECONDS) as group:
                    await run_forever("answers", self._wake_up, partial(self._turn, group))
        finally:
            if self._writing:
                await asyncio.wait(self._writing, timeout=DRAIN_SECONDS)

    async def replace(self, job: Job, **content: Any) -> discord.WebhookMessage | None:
        """Show something else than progress in the job's answer. Return None if Discord doesn't allow that.

        That can be repeated, and is seen once. Raises an error of Discord's that may pass.
        """
        after = self._clock.now() - LAST_EDIT
        answer = await self._db.read(answers.of, subject_of(job), job.user_id, after)
        hook = None if answer is None else self._hook(answer)
        if answer is None or hook is None:
            return None
        while answer.id in self._busy:  # noqa: ASYNC110 - a late edit would undo it
            await asyncio.sleep(GATHERED)
        self._busy[answer.id] = answer.subject
        self._replaced.add(answer.id)
        try:
            shown = await hook.edit_message(THIS, **content)
        except discord.HTTPException as error:
            if not token_expired(error):
                raise
            return None
        else:
            # The row stays until the result's own row says so: after a kill it is put here once more.
            await self._write(answers.note, answer.id, shown=RESULT_SHOWN)
            return shown
        finally:
            self._busy.pop(answer.id, None)

    def _notify(self, wakes: Mapping[Hashable, Any]) -> None:
        for job in (job for job in wakes.values() if job is not None):
            self._changed[subject_of(job)] = job.over and job.set_id is None
            self._wake_up.set()

    async def _kept(self, interaction: discord.Interaction, **values: Any) -> None:
        about: dict[str, Any] = {
            "guild_id": interaction.guild_id or 0,
            "user_id": interaction.user.id,
            "sealed": self._vault.seal(json.dumps([interaction.application_id, interaction.token])),
            "life": self._life,
            "created_at": self._clock.now(),
            "shown": "",
            "tries": 0,
        }
        await self._write(answers.keep, interaction.id, **(about | values))

    async def _write(self, work: Callable[..., None], *args: Any, **more: Any) -> None:
        """Write, and wait for that a moment: an answer matters more than what a kill would leave of it."""
        task = self._begin(self._db.write(work, *args, **more))
        await asyncio.wait({task}, timeout=0.3)

    def _begin(self, writing: Awaitable[None]) -> asyncio.Task[bool]:
        task = asyncio.create_task(self._stored(writing), name="storing an answer")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _stored(self, writing: Awaitable[None]) -> bool:
        try:
            await writing
        except UNUSABLE as error:
            _log.info("An answer could not be stored for a restart: %r", error)
            return False
        self._wake_up.set()
        return True

    async def _turn(self, group: DrainingGroup) -> float | None:
        """Begin to look at the answers that are due. Return in how many seconds to look again, if at all."""
        await asyncio.sleep(GATHERED)
        inherits, self._inherits = self._inherits, False
        busy = set(self._busy.values())  # what has changed there is looked at next
        changed = {one: ended for one, ended in self._changed.items() if one not in busy}
        self._changed = {one: self._changed[one] for one in self._changed.keys() - changed}
        now, room = self._clock.now(), 50 - len(self._busy)
        self._replaced.clear()
        try:
            if inherits:
                await self._db.write(answers.inherit, self._life, now)
            found, next_due = await self._db.read(answers.due, now, changed, tuple(self._busy), room)
        except BaseException:
            self._inherits |= inherits
            self._changed = changed | self._changed
            raise
        if len(found) >= room:  # the others are looked at next
            self._changed = changed | self._changed
            self._wake_up.set()
        for answer, jobs in found:
            if answer.id in self._replaced:
                continue
            self._busy[answer.id] = answer.subject
            group.create_task(self._do(answer, jobs), name="editing an answer")
        # What is being edited wakes at its end.
        return None if next_due is None else (next_due - self._clock.now()).total_seconds()

    async def _do(self, answer: Reply, jobs: Sequence[Job]) -> None:
        """Look at an answer, and edit it if there is news. It is stored before it is looked at again."""
        try:
            try:
                came = await self._bounded(answer, jobs)
            except Exception:  # noqa: BLE001 - the others go on
                _log.exception("An answer of %s can't be edited", answer.subject)
                came = answers.drop
            if not await self._stored(self._db.write(came, answer.id)):
                await asyncio.sleep(AGAIN_SECONDS)
                self._wake_up.set()
        finally:
            self._busy.pop(answer.id, None)

    async def _bounded(self, answer: Reply, jobs: Sequence[Job]) -> Came:
        """Return what is to be stored of the answer."""
        now = self._clock.now()
        lost = partial(results.answer_lost, at=now)
        age = now - answer.created_at  # below zero if the wall clock was set back
        if (hook := self._hook(answer)) is None or abs(age) >= LIFETIME:
            return lost
        try:
            with speaking(await self._readers.of_person(answer.user_id, answer.guild_id)):
                async with asyncio.timeout(30.0):
                    if answer.subject is None:
                        return await self._answer(answer, hook, jobs, now)
                    return await self._show(answer, hook, jobs, now)
        except (*DISCORD_ERRORS, *UNUSABLE) as error:
            if isinstance(error, discord.HTTPException) and token_expired(error):
                if timedelta() <= age < PACE:  # the answer itself may still be on its way
                    return partial(answers.note, due_at=now + PACE)
                return lost
            _log.info("An answer could not be edited yet: %r", error)
            pause = backoff(answer.tries + 1, AGAIN_SECONDS, MAX_AGAIN_SECONDS)
            return partial(answers.note, due_at=now + timedelta(seconds=pause), tries=answer.tries + 1)

    async def _show(self, answer: Reply, hook: discord.Webhook, jobs: Sequence[Job], now: datetime) -> Came:
        """Let the answer show the jobs as they are now."""
        if not jobs:
            return answers.drop
        told = all(job.over and job.announced_at is not None for job in jobs)
        if answer.shown == RESULT_SHOWN:
            return answers.drop if told else partial(answers.note, due_at=now + EVERY)
        recent = answer.due_at > now or jobs[0].changed_at + MOMENT > now
        if len(jobs) == 1 and recent and _soon_passes(jobs[0]):
            return partial(answers.note, due_at=min(now + MOMENT, answer.created_at + LAST_EDIT))
        last = now - answer.created_at >= LAST_EDIT
        ways = await self._progress_of(jobs[0].id) if len(jobs) == 1 else Progress()
        panel = progress_panel(jobs, self._catalog, ways, last=last)
        shown = _digest(panel)
        if shown != answer.shown:
            await _edit(hook, panel)
        if told or last:
            return answers.drop
        edited = {} if shown == answer.shown else {"edited_at": now, "shown": shown, "tries": 0}
        pause = PACE if edited else SELDOM if ways.position is None else EVERY
        late_at = now + pause if ways.ends_at is None else max(ways.ends_at, now + PACE)
        due_at = min(now + pause, late_at, answer.created_at + LAST_EDIT)
        return partial(answers.note, **edited, due_at=due_at)

    async def _answer(self, answer: Reply, hook: discord.Webhook, jobs: Sequence[Job], now: datetime) -> Came:
        """Answer what a handler or a kill left unanswered: with the jobs that it has started."""
        shown = await hook.fetch_message(THIS)
        if shown.components or shown.content:
            return answers.drop  # answered
        if jobs:
            return partial(answers.note, subject=subject_of(jobs[0]), due_at=now)
        await _edit(hook, boxed(BAD, LEFT_UNANSWERED))
        return answers.drop

    def _hook(self, answer: Reply) -> discord.Webhook | None:
        """Return what edits the answer, or None if its token can't be read with the keys of now."""
        with contextlib.suppress(CannotDecrypt, ValueError):
            application_id, token = json.loads(self._vault.unseal(answer.sealed))
            return discord.Webhook.partial(application_id, token, client=self._client)
        return None


def _soon_passes(job: Job) -> bool:
    """Return whether the job's state is worth being shown only if it lasts."""
    fetched = job.state is JobState.RUNNING and job.output_url is not None
    posted = job.state is JobState.SUCCEEDED and job.announced_at is None
    passes = job.state in {JobState.UPLOADING, JobState.SUBMITTING} or fetched or posted
    return passes and job.cancel_told is None


def _digest(panel: Panel) -> str:
    """Return what the panel shows in short; times that move by some seconds are the same."""
    words = _TIME.sub(lambda time: str(int(time[1]) // 60), json.dumps(panel.to_components()))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


async def _edit(hook: discord.Webhook, panel: Panel) -> None:
    await hook.edit_message(THIS, view=panel, allowed_mentions=NO_MENTIONS)


def token_expired(error: discord.HTTPException) -> bool:
    """Return whether a call with an interaction's token failed because that can't be used any more."""
    return error.status in {401, 403, 404}
