"""The two worlds around a bot that is killed, and what has to be true of them after."""

import asyncio
import hashlib
import itertools
import json
import shutil
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from bot.clock import SystemClock
from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.db import Database
from bot.delivery.answers import LEFT_UNANSWERED
from bot.domain.guilds import Plan
from bot.engine.files import MAX_DECODE_TRIES
from bot.jobs import accept, queries
from bot.jobs.models import Job, JobState
from bot.posts import mark_of_nonce
from bot.reasons import ReasonCode
from bot.ui.kit.answers import LateAnswer
from bot.vault import Vault
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Key, Options, StudiiServer
from sandbox.studii.jobs import Job as StudiiJob
from tests.crash.life import Life
from tests.crash.zygote import FORKS
from tests.engine.world import STAGING as STYLE, a_job, a_staging_job, png
from tests.support.cheap import place_in_memory
from tests.support.database import database, given
from tests.support.forks import conversation
from tests.support.jobs import ledger_lines
from tests.support.services import store_key

KILLED = -9
ANSWERED_IN = 15.0  # seconds: a busy machine makes no answer come too late
MAYA = 300
NOT_WHOLE = "posted without its picture, or not with the whole of it"
PHOTO = "https://cdn.discordapp.com/attachments/1/2/room.png"
STAGING: Mapping[str, Any] = STYLE | {
    "image": {
        "filename": "room.png",
        "size": 500,
        "url": PHOTO,
        "proxy_url": PHOTO,
        "content_type": "image/png",
    }
}


class Zygote:
    """The process from which lives are started, one at a time."""

    def __init__(self, said: TextIO, answered: TextIO) -> None:
        self._said, self._answered = said, answered

    async def live(self, life: Life) -> int:
        """How it ended: the exit status, or minus the signal."""
        return await asyncio.to_thread(self._ask, json.dumps(asdict(life)))

    def _ask(self, life: str) -> int:
        self._said.write(f"{life}\n")
        self._said.flush()
        return int(self._answered.readline())


@contextmanager
def zygote(*, forks: bool = False) -> Generator[Zygote]:
    """It belongs to no event loop: tests may share one. Its first life is not to be killed.

    `forks`: its lives fork their decoders off, which is cheaper.
    """
    with conversation("tests.crash.zygote", *([FORKS] if forks else ())) as (said, answered):
        yield Zygote(said, answered)


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
    interaction: Mapping[str, Any] | None
    private: bool
    asked: Interaction

    @property
    def database(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'studii.db'}"


@dataclass
class CrashWorlds:
    """A Studii and a Discord that outlive the bot."""

    folder: Path
    studii: StudiiServer
    discord: DiscordServer
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def case(self, *, text: bool = False, private: bool = False) -> Case:
        """Somebody has just used a command: with a photo, unless it is a `text`."""
        number = next(self.numbers)
        folder = self.folder / str(number)
        await asyncio.to_thread(shutil.copytree, self.folder / "template", folder)
        key = self.studii.add_key("team")
        guild_id, channel_id = 100_000 + number, 200_000 + number
        tool, options = ("studio", {"prompt": "A red kite"}) if text else ("virtual-staging", STAGING)
        if private:
            options = {**options, "private": True}
        self.discord.add_guild(guild_id, [channel_id])
        asked, told = self.discord.command(channel_id, MAYA, tool, options)
        case = Case(folder, key, guild_id, channel_id, told, private, asked)
        async with Database.open(case.database) as db:
            vault = Vault.open((), folder / "encryption.key")
            await store_key(db, vault, guild_id, key.secret, Plan.TEAM, SystemClock().now())
        return case

    async def accepted(self, *, text: bool = False) -> tuple[Case, Job]:
        """A job that was accepted in an earlier life, which ended before it answered."""
        case = await self.case(text=text)
        ids = {"guild_id": case.guild_id, "channel_id": case.channel_id}
        job = a_job(**ids) if text else a_staging_job(**ids)  # type: ignore[arg-type]
        async with Database.open(case.database) as db:
            await db.write(given(accept.store, [job], job.created_at))
        return case, job

    def life(self, case: Case, **options: Any) -> Life:
        guild = self.discord.places.guilds[case.guild_id].told()
        return Life(str(case.folder), self.studii.url, self.discord.api, guild=guild, **options)

    def cancel(self, case: Case) -> Mapping[str, Any] | None:
        """What the gateway tells of somebody who presses Cancel, if it is there to be pressed."""
        for message in self._ephemeral(case):
            for custom_id in message.custom_ids():
                if ":cancel:" in custom_id:
                    return self.discord.press(message, MAYA, custom_id)[1]
        return None

    async def drop(self, case: Case) -> None:
        """What is left of it is not needed any more."""
        self.discord.remove_guild(case.guild_id)
        self.discord.forget()
        await asyncio.to_thread(shutil.rmtree, case.folder)

    async def wrong(
        self, case: Case, *, may_be_unknown: bool, followed: bool = False, twice: bool = False, died: int = 0
    ) -> tuple[Job | None, list[str]]:
        """The job, or None if it was never accepted, and what is not as it was promised, after the last life
        has ended by itself.

        `followed`: whether nothing kept the progress from being shown to the end. `twice`: whether a private
        job's last word may be said by DM although its progress says it too: who said that died before storing
        it. `died`: how often the bot died.
        """
        async with Database.open(case.database) as db:
            jobs = await db.read(queries.in_states, list(JobState))
            complaints = await db.read(ledger.differing)
            kinds = [line.kind for line in await ledger_lines(db, job_id=jobs[0].id if jobs else "")]
        submitted = [one for one in self.studii.jobs.values() if one.key is case.key]
        there, sent = self.discord.in_channel(case.channel_id), self._direct()
        shown = self._ephemeral(case)
        complaints += self._of_a_deferral(case, shown, accepted=bool(jobs))
        if not jobs:
            said = submitted or there or sent
            return None, complaints + (["there is no job of what was said or sent"] if said else [])
        job = jobs[0]
        if len(jobs) > 1:
            complaints.append(f"{len(jobs)} jobs of one command")
        if kinds.count(EntryKind.RESERVE) != 1 or kinds.count(EntryKind.SETTLE) > 1:
            complaints.append(f"its lines in the ledger are {kinds}")
        if len(submitted) > 1:
            complaints.append(f"submitted {len(submitted)} times")
        if len(shown) > 1:
            complaints.append(f"{len(shown)} answers")
        if died >= MAX_DECODE_TRIES and _was_open(job):
            paid = submitted or job.reserved or job.settled
            return job, complaints + (["not opened any more, and sent or paid all the same"] if paid else [])
        if case.private:
            posted = [one for one in shown if _says_last_word(one, job)] + sent
            complaints += ["the channel shows a private job"] if there else []
            complaints += self._of_private(job, shown, sent, twice=twice)
        else:
            posted = sent if job.state is JobState.UNKNOWN else there
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

    def _of_a_deferral(self, case: Case, shown: Sequence[Message], *, accepted: bool) -> list[str]:
        """What is wrong with an answer that was announced."""
        if not case.asked.deferred:
            return []
        if case.asked.waits:
            return ["it is thinking for ever"]
        told = any(str(LEFT_UNANSWERED[LateAnswer.JOB]) in one.words() for one in shown)
        if accepted and told:
            return ["said not to be started, although it was"]
        return [] if accepted or told else ["nobody said that it was not started"]

    def _of_progress(self, job: Job, shown: Sequence[Message]) -> list[str]:
        """What is wrong with what its person was shown in the end."""
        words = " ".join(one.words() for one in shown)
        stale = any(":cancel:" in name for one in shown for name in one.custom_ids())
        ended = job.state is not JobState.SUCCEEDED or "see the result" in words
        return [] if ended and not stale else [f"its progress says: {words}"]

    def _kept(self, case: Case, job: Job) -> bool:
        """Whether `/jobs` has a result that could not be sent."""
        if not (case.private and self.discord.channels.dm_with(MAYA).closed) or job.output_file is None:
            return False
        return (case.folder / "spool" / job.output_file).is_file()

    def _ephemeral(self, case: Case) -> list[Message]:
        """The messages that stand in the case's channel for one person alone."""
        kept = self.discord.messages.values()
        return [one for one in kept if one.channel_id == case.channel_id and one.ephemeral]

    def _direct(self) -> list[Message]:
        """The direct messages to the person who asked."""
        return self.discord.in_channel(self.discord.channels.dm_with(MAYA).id)

    async def _shown(self, submitted: Sequence[StudiiJob], posted: Sequence[Message]) -> bool:
        """Whether what Studii made of the job was posted, byte for byte."""
        made = [hashlib.sha256((await self.studii.output_of(one.id)).data).hexdigest() for one in submitted]
        return any(file.sha256 in made for one in posted for file in one.files.values())

    @staticmethod
    async def job(case: Case) -> Job | None:
        """The job, if one was accepted."""
        async with Database.open(case.database) as db:
            jobs = await db.read(queries.in_states, list(JobState))
        return jobs[0] if jobs else None


def _was_open(job: Job) -> bool:
    """Whether its photo was refused because the bot died while it was open: that may be the photo's doing."""
    return job.failure_text is not None and job.failure_text.code is ReasonCode.PHOTO_UNDECODABLE


def _says_last_word(shown: Message, job: Job) -> bool:
    """Whether an answer shows the result, as a posting does."""
    components: list[dict[str, Any]] = shown.payload.get("components") or [{}]
    return components[0].get("id") == mark_of_nonce(job.nonce)


@asynccontextmanager
async def worlds() -> AsyncGenerator[CrashWorlds]:
    # In memory where there is such a place: a killed process loses nothing that it had written there.
    with TemporaryDirectory(prefix="studii-crash-", dir=place_in_memory()) as name:
        folder = Path(name)
        template = folder / "template"
        (template / "spool").mkdir(parents=True)
        (template / "photo.png").write_bytes(png())
        await database(template)
        options = Options(instant=True, long_side=64)
        async with StudiiServer(options) as studii, DiscordServer(answers=ANSWERED_IN) as discord:
            yield CrashWorlds(folder, studii, discord)
