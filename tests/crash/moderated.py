"""Jobs on which moderators decide, in the worlds around a bot that is killed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from bot.db import Database
from bot.jobs import queries
from bot.jobs.models import Approval, FailureCode, Job, JobState
from bot.servers import access
from sandbox.discord.emulator.interactions import MODAL, Interaction
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import MANAGE_MESSAGES, Channel, Role
from sandbox.studii.jobs import Job as StudiiJob
from tests.crash.life import LATE, UNSAID
from tests.crash.world import MAYA, NOT_WHOLE, Case, CrashWorlds
from tests.engine.world import STAGING

REASON = "Not this room"
MODERATORS = (401, 402)
OPEN_POST = "posts WHERE due_at IS NOT NULL"
# A life ends when the job is over, or waits for moderators who were shown it.
OVER = (UNSAID, LATE, OPEN_POST)
SHOWN = (f"{UNSAID} AND state NOT IN ('pending', 'reviewing')", LATE, OPEN_POST)


class Press(StrEnum):
    """A button under what moderators are shown, or under its person's progress."""

    APPROVE = "approve"
    DECLINE = "decline"
    APPROVE_RESULT = "approve-result"
    DECLINE_RESULT = "decline-result"
    CANCEL = "cancel"

    @property
    def asks_why(self) -> bool:
        return self in (Press.DECLINE, Press.DECLINE_RESULT)


@dataclass
class ModeratedCase(Case):
    """A case in a server whose moderators approve requests in a channel.

    `results`: and results. `presses`: what became of what moderators pressed in lives that were not killed.
    """

    approvals_id: int = 0
    results: bool = False
    presses: list[Interaction] = field(default_factory=list[Interaction])


class Moderated(CrashWorlds):
    """The same worlds, with moderators in them."""

    @classmethod
    def around(cls, worlds: CrashWorlds) -> Self:
        return cls(worlds.folder, worlds.studii, worlds.discord, worlds.numbers)

    async def moderated_case(self, *, results: bool) -> ModeratedCase:
        """Somebody has just used a command that waits for approval; with `results`, its result does too."""
        case = await self.case()
        guild = self.discord.places.guilds[case.guild_id]
        approvals = Channel(300_000 + case.guild_id, case.guild_id, "approvals")
        self.discord.places.add_channel(approvals)
        role = Role(400_000 + case.guild_id, MANAGE_MESSAGES, "moderators")
        guild.roles[role.id] = role
        guild.members |= dict.fromkeys(MODERATORS, (role.id,))
        async with Database.open(case.database) as db:
            await db.write(
                access.change,
                case.guild_id,
                approval_channel=approvals.id,
                approval_everyone=True,
                approval_results=results,
            )
        return ModeratedCase(**vars(case), approvals_id=approvals.id, results=results)

    def press(
        self, case: ModeratedCase, presses: Sequence[Press]
    ) -> tuple[Mapping[str, Any], list[Interaction]]:
        """What a life is told when people press these at once, each of them one, and what becomes of it.

        Who declines has opened the form before.
        """
        first: list[Mapping[str, Any]] = []
        then: list[Mapping[str, Any]] = []
        begun: list[Interaction] = []
        for press, moderator in zip(presses, MODERATORS, strict=False):
            message = self._with(case, press)
            if message is None:
                continue
            who = MAYA if press is Press.CANCEL else moderator
            name = next(one for one in message.custom_ids() if f":{press}:" in one)
            pressed, told = self.discord.press(message, who, name)
            if press is not Press.CANCEL:  # what answers that is the progress
                begun.append(pressed)
            (first if press.asks_why else then).append(told)
            if press.asks_why:
                place = message.channel_id
                handed, told = self.discord.begin(place, who, MODAL, {}, pressed=message)
                begun.append(handed)
                then.append(told)
        if not first:
            first, then = then, []
        if not first:
            return {}, []
        return {"interaction": first[0], "at_once": first[1:], "then": then, "words": REASON}, begun

    def _with(self, case: ModeratedCase, press: Press) -> Message | None:
        there = press is not Press.CANCEL
        shown = self.discord.in_channel(case.approvals_id) if there else self._ephemeral(case)
        return next((one for one in shown if any(f":{press}:" in name for name in one.custom_ids())), None)

    async def job_of(self, case: Case) -> Job | None:
        async with Database.open(case.database) as db:
            return next(iter(await db.read(queries.in_states, list(JobState))), None)

    async def hasty_steps(self, case: ModeratedCase) -> list[str]:
        """What was done before it was approved, at this moment."""
        job = await self.job_of(case)
        if job is None:
            return []
        complaints: list[str] = []
        submitted = [one for one in self.studii.jobs.values() if one.key is case.key]
        if job.approval is not Approval.GIVEN:
            complaints += ["it went to Studii unapproved"] if submitted else []
            spent = job.reserved != job.estimate and not job.over
            complaints += ["its credits are not reserved while it waits"] if spent or job.settled else []
        if job.state is JobState.REVIEWING and job.settled != case.key.spent:
            complaints.append(f"its result waits, settled at {job.settled} instead of {case.key.spent}")
        if job.state in (JobState.REVIEWING, JobState.WITHHELD) and await self._seen(case, submitted):
            complaints.append("its result is seen unapproved")
        return complaints

    async def _seen(self, case: ModeratedCase, submitted: Sequence[StudiiJob]) -> bool:
        kept = self.discord.messages.values()
        return await self._shown(submitted, [one for one in kept if one.channel_id != case.approvals_id])

    def of_the_moderators(self, case: ModeratedCase, job: Job) -> list[str]:
        """What is wrong with what moderators were shown, after all has ended."""
        shown = self.discord.in_channel(case.approvals_id)
        reviewed = case.results and bool(self._submitted(case)) and job.state is not JobState.UNKNOWN
        complaints: list[str] = []
        never = job.state is JobState.CANCELLED and not shown  # it was over before they could be asked
        if len(shown) != 1 + reviewed and not never:
            complaints.append(f"moderators were asked {len(shown)} times")
        asked = [one.words() for one in shown if one.custom_ids() or one.files or _tells(one)]
        complaints += [f"what moderators were asked is left: {words}" for words in asked]
        unanswered = [one for one in case.presses if one.waits or not one.over]
        return complaints + ["a moderator got no answer"] * len(unanswered)

    def _submitted(self, case: Case) -> list[StudiiJob]:
        return [one for one in self.studii.jobs.values() if one.key is case.key]

    async def _of_the_end(
        self,
        case: Case,
        job: Job,
        submitted: Sequence[StudiiJob],
        posted: Sequence[Message],
        *,
        may_be_unknown: bool,
    ) -> list[str]:
        said = "\n".join(one.words() for one in posted)
        match job.state:
            case JobState.FAILED if job.failure is FailureCode.DECLINED:
                complaints = (
                    ["declined, and sent or paid"] if submitted or job.reserved or job.settled else []
                )
                told = "Not charged" in said
            case JobState.WITHHELD:
                spent = case.key.spent
                settled = len(submitted) == 1 and job.settled == spent and not job.reserved
                complaints = [] if settled else [f"settled {job.settled}, and Studii charged {spent}"]
                kept = job.output_file is not None and (case.folder / "spool" / job.output_file).is_file()
                complaints += [] if kept else [f"withheld, and not kept; {NOT_WHOLE}"]
                told = f"{job.settled}" in said
            case _:
                return await super()._of_the_end(case, job, submitted, posted, may_be_unknown=may_be_unknown)
        return complaints + ([] if told else [f"its cost is not told: {said}"])

    @staticmethod
    def points(case: Case) -> dict[str, int]:
        """Those of the last life that was traced."""
        return json.loads((case.folder / "points.json").read_text())


def _tells(message: Message) -> bool:
    """Whether what was asked for can be read there."""
    return any(value in message.words() for value in STAGING.values())
