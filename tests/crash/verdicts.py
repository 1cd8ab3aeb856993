"""What has to be true of the two worlds after a bot was killed in them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.db import Database
from bot.delivery.answers import LEFT_UNANSWERED
from bot.jobs import lanes as lane_rows, queries
from bot.jobs.models import Job, JobState
from bot.posts import mark_of_nonce
from bot.servers import keys
from bot.ui.kit.deferral import LateAnswer
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Key, StudiiServer
from sandbox.studii.faults import Answer
from sandbox.studii.jobs import Job as StudiiJob
from tests.support.jobs import ledger_lines

NOT_WHOLE = "posted without its picture, or not with the whole of it"
COUNTED = {"create", "status", "upload"}  # against a key's requests a minute
MAYA = 300


@dataclass
class Case:
    """Somebody who uses a command in a server with a database, a key and a channel of its own.

    `interaction`: what the gateway tells the bot of it, once; `asked`: what became of it at Discord.
    `private`: they alone are to see the result.
    """

    folder: Path
    key: Key
    guild_id: int
    channel_id: int
    interaction: Mapping[str, Any]
    private: bool = False
    asked: Interaction | None = None

    @property
    def database(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'studii.db'}"


@dataclass
class Verdicts:
    """What became of a Studii and a Discord that outlive the bot."""

    folder: Path
    studii: StudiiServer
    discord: DiscordServer

    async def wrong(
        self, case: Case, *, may_be_unknown: bool, followed: bool = False, twice: bool = False
    ) -> tuple[Job | None, list[str]]:
        """The job, or None if it was never accepted, and what is not as it was promised, after the last life
        has ended by itself.

        `followed`: whether nothing kept the progress from being shown to the end. `twice`: whether a private
        job's last word may be said by DM although its progress says it too: who said that died before storing
        it.
        """
        async with Database.open(case.database) as db:
            jobs = await db.read(queries.in_states, list(JobState))
            complaints = await db.read(ledger.differing)
            entries = await ledger_lines(db, job_id=jobs[0].id if jobs else "")
        complaints += self._of_a_deferral(case, accepted=bool(jobs))
        if not jobs:
            return None, complaints + self._of_nothing(case)
        if len(jobs) > 1:
            complaints.append(f"{len(jobs)} jobs of one command")
        job = jobs[0]
        kinds = [line.kind for line in entries]
        if kinds.count(EntryKind.RESERVE) != 1 or kinds.count(EntryKind.SETTLE) > 1:
            complaints.append(f"its lines in the ledger are {kinds}")
        submitted = [one for one in self.studii.jobs.values() if one.key is case.key]
        if len(submitted) > 1:
            complaints.append(f"submitted {len(submitted)} times")
        there = self.discord.in_channel(job.channel_id)
        shown, sent = self._ephemeral(case), self._direct()
        complaints += [f"{len(shown)} answers"] if len(shown) > 1 else []
        if case.private:
            posted = [one for one in shown if _says_last_word(one, job)] + sent
            complaints += ["the channel shows a private job"] if there else []
            complaints += self._of_private(job, shown, sent, twice=twice)
        else:
            posted = sent if job.state is JobState.UNKNOWN else there
            if job.state in {JobState.FAILED, JobState.WITHHELD}:
                posted = sent or shown  # what was not charged is told where its person just asked
            complaints += self._of_postings(job, posted)
            complaints += ["it was said elsewhere, too"] if len(there) + len(sent) > len(posted) else []
            complaints += self._of_progress(job, shown) if followed else []
        complaints += await self._of_the_end(case, job, submitted, posted, may_be_unknown=may_be_unknown)
        return job, complaints

    async def _of_the_end(
        self,
        case: Case,
        job: Job,
        submitted: Sequence[StudiiJob],
        posted: Sequence[Message],
        *,
        may_be_unknown: bool,
    ) -> list[str]:
        """What is wrong with how it ended."""
        complaints: list[str] = []
        match job.state:
            case JobState.UNKNOWN:
                complaints += [] if may_be_unknown else ["unknown, although it was known"]
                if job.reserved != job.estimate or job.settled:
                    complaints.append("unknown, and its credits are not just reserved")
            case JobState.CANCELLED:
                if submitted or job.reserved or job.settled:
                    complaints.append("cancelled, and sent or paid all the same")
            case JobState.SUCCEEDED:
                spent = case.key.spent
                if len(submitted) != 1 or job.settled != spent or job.reserved:
                    complaints.append(f"settled {job.settled}, and Studii charged {spent}")
                if not await self._shown(submitted, posted) and not self._kept(case, job):
                    complaints.append(NOT_WHOLE)
            case _:
                complaints.append(f"{job.state}: {job.failure} {job.failure_text}")
        return complaints

    def _of_postings(self, job: Job, posted: Sequence[Message]) -> list[str]:
        if job.state is JobState.CANCELLED:  # by its person, who knows it
            return ["cancelled, and announced all the same"] if posted else []
        if len(posted) != 1:
            return [f"its last word was posted {len(posted)} times"]
        if job.state is JobState.SUCCEEDED and posted[0].id != job.result_message_id:
            return ["its last word is not what it is said to be"]
        return []

    def _of_private(
        self, job: Job, shown: Sequence[Message], sent: Sequence[Message], *, twice: bool
    ) -> list[str]:
        """What is wrong with what its person alone was told: in the answer, else by DM, and once."""
        in_answer = any(_says_last_word(one, job) for one in shown)
        if job.state is JobState.CANCELLED:  # by its person, who knows it
            return ["cancelled, and announced all the same"] if in_answer or sent else []
        if job.announced_at is None or job.result_message_id is not None:
            return ["its last word is not noted as a private one's"]
        if self.discord.channels.dm_with(MAYA).closed:
            return ["it was sent by a DM that is closed"] if sent else []
        if len(sent) > 1 or (in_answer and sent and not twice):
            return [f"its last word was said {in_answer + len(sent)} times"]
        return [] if in_answer or sent else ["its last word was not said"]

    def _ephemeral(self, case: Case) -> list[Message]:
        """The messages that stand in the case's channel for one person alone."""
        kept = self.discord.messages.values()
        return [one for one in kept if one.channel_id == case.channel_id and one.ephemeral]

    def _direct(self) -> list[Message]:
        """The direct messages to the person who asked."""
        return self.discord.in_channel(self.discord.channels.dm_with(MAYA).id)

    def _kept(self, case: Case, job: Job) -> bool:
        """Whether `/jobs` has a result that could not be sent."""
        if not (case.private and self.discord.channels.dm_with(MAYA).closed) or job.output_file is None:
            return False
        return (case.folder / "spool" / job.output_file).is_file()

    def _of_nothing(self, case: Case) -> list[str]:
        """What is wrong when nothing was accepted."""
        submitted = any(one.key is case.key for one in self.studii.jobs.values())
        said = self.discord.in_channel(case.channel_id) + self._direct()
        return ["there is no job of what was said or sent"] if submitted or said else []

    def _of_a_deferral(self, case: Case, *, accepted: bool) -> list[str]:
        """What is wrong with an answer that was announced."""
        if case.asked is None or not case.asked.deferred:
            return []
        if case.asked.waits:
            return ["it is thinking for ever"]
        told = any(str(LEFT_UNANSWERED[LateAnswer.JOB]) in one.words() for one in self._ephemeral(case))
        if accepted and told:
            return ["said not to be started, although it was"]
        return [] if accepted or told else ["nobody said that it was not started"]

    def _of_progress(self, job: Job, shown: Sequence[Message]) -> list[str]:
        """What is wrong with what its person was shown in the end."""
        words = " ".join(one.words() for one in shown)
        stale = any(":cancel:" in name for one in shown for name in one.custom_ids())
        ended = job.state is not JobState.SUCCEEDED or "see the result" in words
        return [] if ended and not stale else [f"its progress says: {words}"]

    async def _shown(self, submitted: Sequence[StudiiJob], posted: Sequence[Message]) -> bool:
        """Whether what Studii made of the job was posted, byte for byte."""
        made = [hashlib.sha256((await self.studii.output_of(one.id)).data).hexdigest() for one in submitted]
        return any(file.sha256 in made for one in posted for file in one.files.values())

    async def unheard(self, case: Case) -> bool:
        """Whether Studii has said 429 to it, of which nothing was noted."""
        if not self.studii.requests.of(key=case.key.hint, status=429):
            return False
        async with Database.open(case.database) as db:
            key = await db.read(keys.current, case.guild_id)
            return key is None or not await db.read(lane_rows.limits_of, [key.lane])

    def hasty(self, case: Case) -> list[str]:
        """What Studii was asked before the time that it had named with a 429."""
        asked = [one for one in self.studii.requests.of(key=case.key.hint) if one.endpoint in COUNTED]
        complaints: list[str] = []
        for refused in asked:
            if not isinstance(refused.fault, Answer) or "Retry-After" not in refused.fault.headers:
                continue
            until = refused.monotonic + float(refused.fault.headers["Retry-After"])
            hasty = [one.endpoint for one in asked if refused.monotonic < one.monotonic < until]
            if hasty:
                complaints.append(f"asked before Retry-After had passed: {hasty}")
        return complaints

    @staticmethod
    async def job(case: Case) -> Job | None:
        """The job, if one was accepted."""
        async with Database.open(case.database) as db:
            jobs = await db.read(queries.in_states, list(JobState))
        return jobs[0] if jobs else None

    async def state(self, case: Case) -> JobState | None:
        """The job's, if one was accepted."""
        job = await self.job(case)
        return None if job is None else job.state


def _says_last_word(shown: Message, job: Job) -> bool:
    """Whether an answer shows the result, as a posting does."""
    components: list[dict[str, Any]] = shown.payload.get("components") or [{}]
    return components[0].get("id") == mark_of_nonce(job.nonce)
