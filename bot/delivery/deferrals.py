"""Deferred interactions on disk, so that a start after a kill answers those that were left unanswered."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import discord

from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery.tokens import EXPIRY_MARGIN_SECONDS, LIFETIME
from bot.domain import Job, Progress
from bot.services import JobService
from bot.storage import CannotDecrypt, Vault
from bot.ui.jobs.first_card import STARTED
from bot.ui.jobs.set_card import card_of
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import QUIET, Panel, sentence_panel
from bot.ui.kit.responses import NO_MENTIONS

_log = logging.getLogger(__name__)

RESTARTED = "I restarted before your job could start. Send the command again. Nothing was charged."
RESTARTED_CHANGE = "I restarted before I could answer. Check the setting; if it hasn't changed, try again."
MAX_KEPT_DEFERRALS = 2000  # files; those after that are not kept
_EARLIER = timedelta(seconds=30)  # the job may have been accepted a little before its deferral was noted


@dataclass(frozen=True, slots=True)
class _Deferred:
    """An interaction that Discord was told will be answered."""

    application_id: int
    token: str
    guild_id: int
    channel_id: int
    user_id: int
    private: bool
    at: str  # when it was deferred, as ISO 8601
    message_id: int | None = None
    starts: bool = True  # a job

    @property
    def message(self) -> Any:
        """What names the deferred message at Discord."""
        return "@original" if self.message_id is None else self.message_id


class DeferralJournal:
    """One small file for each deferred interaction, encrypted: its token can act in the bot's name.

    It is beside the database and not in it, because answers take long when the database does.
    """

    def __init__(self, folder: Path, vault: Vault, clock: Clock) -> None:
        self._folder = folder
        self._vault = vault
        self._clock = clock
        self._kept = set[int]()

    async def remember(
        self,
        interaction: discord.Interaction[Any],
        *,
        private: bool,
        starts: bool = True,
        message_id: int | None = None,
    ) -> None:
        """Keep the interaction: its deferral is sent next, or is that message."""
        if len(self._kept) >= MAX_KEPT_DEFERRALS:
            return
        self._kept.add(interaction.id)
        deferred = _Deferred(
            interaction.application_id,
            interaction.token,
            interaction.guild_id or 0,
            interaction.channel_id or 0,
            interaction.user.id,
            private,
            self._clock.now().isoformat(),
            message_id,
            starts,
        )
        sealed = self._vault.seal(json.dumps(asdict(deferred)))
        await _on_disk(lambda: self._write(interaction.id, sealed))

    async def forget(self, interaction: discord.Interaction[Any]) -> None:
        """Forget the interaction, which was answered."""
        self._kept.discard(interaction.id)
        await _on_disk(lambda: self._file(interaction.id).unlink(missing_ok=True))

    async def finish(self, client: discord.Client, jobs: JobService, catalog: Catalog) -> None:
        """Answer what an earlier life of the process left unanswered."""
        left = await asyncio.to_thread(self._left)
        taken: set[str] = set()
        for file, deferred in left:
            try:
                await self._answer(client, jobs, catalog, deferred, taken)
            except DISCORD_ERRORS as error:
                _log.info("A deferred answer from before the restart could not be sent: %r", error)
            await _on_disk(file.unlink)
        if left:
            _log.info("Finished %d deferred answers from before the restart.", len(left))

    async def _answer(
        self,
        client: discord.Client,
        jobs: JobService,
        catalog: Catalog,
        deferred: _Deferred,
        taken: set[str],
    ) -> None:
        hook = discord.Webhook.partial(deferred.application_id, deferred.token, client=client)
        hook.type = discord.WebhookType.application  # an interaction's, which can speak to one person
        try:
            shown = await hook.fetch_message(deferred.message)
        except discord.NotFound:
            await self._tell_again(hook, jobs, deferred, taken)
            return
        if shown.components or shown.content:
            return  # answered
        if not deferred.starts:
            await _tell(hook, deferred, sentence_panel(RESTARTED_CHANGE))
            return
        job = await self._job_of(jobs, deferred, taken)
        if job is None:
            await _tell(hook, deferred, sentence_panel(RESTARTED))
        elif deferred.private and not job.private:
            await _tell(hook, deferred, sentence_panel(STARTED, QUIET))
        else:
            whole = [job] if job.set_id is None else await jobs.of_set(job.set_id, job.guild_id)
            taken.update(one.id for one in whole)
            card = card_of(job, ToolNames(catalog), Progress(whole_set=tuple(whole)))
            await hook.edit_message(deferred.message, view=card, allowed_mentions=NO_MENTIONS)
            # The engine shows a job that goes on anew, with its position or time, which nobody knows here.
            for one in whole:
                await jobs.card_shown(one.id, shown.id, one.version if one.over else 0)

    async def _tell_again(
        self, hook: discord.Webhook, jobs: JobService, deferred: _Deferred, taken: set[str]
    ) -> None:
        """Tell the person that nothing started: the message was deleted to say so, which may not be done."""
        if not deferred.private and await self._job_of(jobs, deferred, taken) is None:
            await hook.send(view=sentence_panel(RESTARTED), ephemeral=True)

    async def _job_of(self, jobs: JobService, deferred: _Deferred, taken: set[str]) -> Job | None:
        """Return the job that was accepted for it, if one was."""
        since = datetime.fromisoformat(deferred.at) - _EARLIER
        for job in reversed((await jobs.page(deferred.guild_id, deferred.user_id, 0)).jobs):
            unseen = job.origin_message_id is None and job.card_message_id is None and not job.card_version
            fits = job.created_at >= since and job.channel_id == deferred.channel_id
            if unseen and fits and job.id not in taken:
                taken.add(job.id)
                return job
        return None

    def _left(self) -> list[tuple[Path, _Deferred]]:
        """Return what can be answered still, oldest first. Files of no use are deleted."""
        files = sorted(self._folder.glob("*.deferred")) if self._folder.is_dir() else []
        found: list[tuple[Path, _Deferred]] = []
        oldest = self._clock.now() - timedelta(seconds=LIFETIME - EXPIRY_MARGIN_SECONDS)
        for file in files:
            try:
                deferred = _Deferred(**json.loads(self._vault.unseal(file.read_bytes())))
                if datetime.fromisoformat(deferred.at) > oldest:
                    found.append((file, deferred))
                    continue
            except (OSError, ValueError, TypeError, CannotDecrypt):
                pass
            with suppress(OSError):
                file.unlink()
        return found

    def _write(self, interaction_id: int, sealed: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._file(interaction_id)
        part = file.with_suffix(".part")
        part.write_bytes(sealed)
        part.replace(file)

    def _file(self, interaction_id: int) -> Path:
        return self._folder / f"{interaction_id}.deferred"


async def _tell(hook: discord.Webhook, deferred: _Deferred, panel: Panel) -> None:
    if deferred.private:
        await hook.edit_message(deferred.message, view=panel)
        return
    await hook.delete_message(deferred.message)  # a followup would be seen by everybody in its place
    await hook.send(view=panel, ephemeral=True)


async def _on_disk(change: Callable[[], object]) -> None:
    try:
        await asyncio.to_thread(change)
    except OSError as error:
        _log.warning("A deferred answer can't be stored for a restart: %s", error)
