"""Everything that moves credits, through the services and a real database: what the fuzz test plays with."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest.mock import patch

from sqlalchemy import Delete, Update, delete

from bot.catalog import Catalog
from bot.credits import budgets, charges, ledger, limits, requests
from bot.credits.ledger import EntryKind
from bot.credits.limits import AllowanceScope, StartRate
from bot.credits.prices import Price
from bot.credits.requests import RequestState
from bot.domain.guilds import Period
from bot.errors import Refused
from bot.jobs import queries, submission, transitions
from bot.jobs.confirm import Confirmation, ConfirmationNeeded
from bot.jobs.models import FailureCode, Job, JobRequest, JobState, MemberContext, jobs
from bot.jobs.submission import Claim, NotClaimed
from bot.posts import Post
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.access import Policy
from bot.servers.settings import GuildSettings
from bot.storage import Storage, Transaction
from bot.studii import CreatedJob, JobReport
from bot.vault import Vault
from tests.services.credits.accountant import ROLES, USUAL
from tests.services.credits.moderating_bank import GUILD, LANE, WAITING_FOR_MODERATORS, ModeratingBank
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.jobs import correct_jobs, known, ledger_lines, settle_job
from tests.support.services import accept, cancel, rule, services_on

WHY = Reason(ReasonCode.STUDII_FAILED)

MEMBERS = tuple(ROLES)
BEGIN = datetime(2027, 3, 12, 9, tzinfo=UTC)
OTHER_LANE = "another lane"
Replacement = tuple[str, Any]  # what is replaced, and by what
Answer = Job | Refused | ConfirmationNeeded


@dataclass
class Seen:
    """What the bot says of its books at a moment."""

    server_left: int
    member_left: Mapping[int, int | None]
    going: Mapping[int, int]
    jobs: Mapping[str, tuple[int, int]]  # reserved and settled
    lines: Mapping[str, int]  # put aside, less settled and released
    undecided: Mapping[str, JobState]
    wrong: list[str]


class Bank(ModeratingBank):
    """The bot's books; a subclass may be crooked, by a way of its own or by replacing a part of the bot."""

    replaced: ClassVar[Sequence[Replacement]] = ()

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = FakeClock(BEGIN)
        self.catalog = Catalog.load()
        self.stack = AsyncExitStack()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def open(self) -> None:
        for name, replacement in self.replaced:
            self.stack.enter_context(patch(name, replacement))
        self.storage = await self.stack.enter_async_context(Storage.open(self.url))
        folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.vault = Vault.open((), folder / "encryption.key")
        services = await services_on(self.storage, folder, self.clock, catalog=self.catalog)
        self.acceptance = services.acceptance
        self.services = services
        self.open_for_moderators(services)

    async def close(self) -> None:
        await self.stack.aclose()

    async def restart(self) -> None:
        await self.close()
        await self.open()

    async def empty(self) -> None:
        """Begin anew, with a key and no line in the books."""
        self.clock.set(BEGIN)
        async with self.storage.write() as transaction:
            for table in (
                ledger.Line,
                Post,
                jobs,
                GuildSettings,
                limits.Allowance,
                Policy,
                Price,
                Confirmation,
                requests.CreditRequest,
            ):
                await write(transaction, delete(table))
        await self.set_key()

    async def accept(self, user_id: int, amount: int) -> Answer:
        """A job of which the last charge says that it costs so much."""
        await self.charged_with(LANE, USUAL, amount)
        return await self.accept_some(user_id, USUAL)

    async def charged_with(self, lane: str, kind: str, charge: int) -> None:
        """A key was charged so much, of which what waits did not learn."""
        variant = self.catalog.get("studio").variant(inputs_of(kind))
        async with self.storage.write() as transaction:
            await transaction.run(charges.learn, lane, "studio", variant, charge, self.now)

    async def accept_some(self, user_id: int, kind: str) -> Answer:
        """A job of that kind, whatever is known of its price."""
        context = MemberContext(roles=frozenset(ROLES[user_id]))
        return await self._ask(JobRequest(GUILD, 2, user_id, "studio", inputs_of(kind), context=context))

    async def confirm(self, question_id: str) -> Answer | list[Job]:
        """Its person says that the job is to start."""
        question = await self.services.db.read(lambda session: session.get(Confirmation, question_id))
        assert question is not None
        context = MemberContext(roles=frozenset(ROLES[question.request.user_id]))
        requests = question.confirmed(context)
        return await (self._ask(requests[0]) if len(requests) == 1 else self._ask_all(requests))

    async def _ask(self, request: JobRequest) -> Answer:
        try:
            return await accept(self.acceptance, request)
        except (Refused, ConfirmationNeeded) as said:
            return said

    async def set_confirm(self, above: int) -> None:
        await spending.set_budget(self.services, GUILD, None, None, confirm_above=above)

    async def accept_set(self, user_id: int, kind: str, count: int) -> Answer | list[Job]:
        """Jobs of that kind, all of them or none."""
        context = MemberContext(roles=frozenset(ROLES[user_id]))
        request = JobRequest(GUILD, 2, user_id, "studio", inputs_of(kind), context=context)
        return await self._ask_all([request] * count)

    async def _ask_all(self, requests: Sequence[JobRequest]) -> Answer | list[Job]:
        try:
            return await self.acceptance.accept_all(requests)
        except (Refused, ConfirmationNeeded) as said:
            return said

    async def send(self, job_id: str) -> bool:
        """Whether the job is on its way to Studii now."""
        await self.take_in(job_id)
        async with self.storage.write() as transaction:
            to = JobState.SUBMITTING
            claimed = await transaction.run(submission.claim, self.catalog, job_id, LANE, to, self.now, None)
        return not isinstance(claimed, NotClaimed)

    async def answer(self, job_id: str, charge: int | None) -> None:
        """Studii takes the job, and may say what it charges."""
        async with self.storage.write() as transaction:
            job, key = await known(transaction, job_id), await transaction.run(keys.current, GUILD)
            assert key is not None
            taken = Claim(job, key, was_held=False)
            told = CreatedJob(job_id, credits_charged=charge)
            await transaction.run(submission.record_taken, self.catalog, taken, told, self.now)

    async def start(self, job_id: str, charge: int | None) -> bool:
        """A job is sent and taken at once; False if it may not be sent."""
        sent = await self.send(job_id)
        if sent:
            await self.answer(job_id, charge)
        return sent

    async def end(self, job_id: str, way: str, charge: int | None) -> bool:
        """Whether the job ended so: done, or failed, as the last answer said; or before Studii took it."""
        async with self.storage.write() as transaction:
            job = await transaction.run(queries.get, job_id)
            assert job is not None
            if way == "free":
                open_ = (JobState.RECEIVED, JobState.WAITING, JobState.SUBMITTING)
                ended = await transaction.run(
                    transitions.fail_unpaid, job.id, open_, FailureCode.PHOTO, WHY, self.now
                )
            elif job.state is not JobState.RUNNING:
                return False
            elif way == "done":
                report = JobReport(job_id, "completed", "https://x.example/1.png", credits_charged=charge)
                last, _ = await transaction.run(
                    submission.record_output, self.catalog, LANE, job_id, report, self.now
                )
                assert last is not None
                ended = await transaction.run(transitions.succeed, last.id, "file", "image", self.now)
            else:
                why = (FailureCode.STUDII, WHY, self.now)
                ended, _ = await transaction.run(
                    submission.fail_running, self.catalog, LANE, job_id, *why, told=charge
                )
        return ended is not None

    async def cancel(self, job_id: str, user_id: int) -> None:
        await cancel(self.services, job_id, GUILD, user_id)

    async def not_taken(self, job_id: str) -> None:
        """Studii could not take the job; as `bot.engine.requests` writes it down."""
        async with self.storage.write() as transaction:
            job = await transaction.run(queries.get, job_id)
            assert job is not None
            await transaction.run(transitions.wait, job.id, JobState.SUBMITTING, self.now)

    async def lose(self, job_id: str) -> None:
        """Nobody knows whether Studii took the job."""
        async with self.storage.write() as transaction:
            job = await transaction.run(queries.get, job_id)
            assert job is not None
            await transaction.run(submission.make_unknown, job.id, self.now)

    async def rule(self, job_id: str, charge: int | None) -> None:
        await rule(self.services, GUILD, job_id, charge)

    async def resolve_again(self, job_id: str, way: str) -> None:
        async with self.storage.write() as transaction:
            if way == "settle":
                await transaction.run(settle_job, job_id, 5, self.now)
            elif way == "correct":
                await transaction.run(correct_jobs, [job_id], 5, self.now)
            else:
                await transaction.run(settle_job, job_id, 0, self.now)

    async def fail_half_way(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.run(settle_job, job_id, 7, self.now)
            raise LookupError

    async def grant(self, user_id: int | None, amount: int) -> None:
        await spending.grant(self.services, GUILD, user_id, amount)

    async def ask_for_more(self, user_id: int, price: int) -> str:
        """A member who lacks credits asks for them; returns the request."""
        asked = (GUILD, user_id, ROLES[user_id], 2, "studio", price, self.now)
        return (await self.services.db.write(requests.ask, *asked)).id

    async def answer_request(self, request_id: str, *, grant: bool) -> None:
        state = RequestState.GRANTED if grant else RequestState.DECLINED
        await self.services.db.write(requests.answer, request_id, state, 99, self.now)

    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        await spending.set_budget(self.services, GUILD, limit, period, restart=restart)

    async def set_zone(self, zone: str) -> None:
        await spending.set_budget(self.services, GUILD, None, None, zone)

    async def set_allowance(self, whose: AllowanceScope, subject_id: int, amount: int | None) -> None:
        await spending.set_limits(self.services, GUILD, allowance=(whose, subject_id, amount))

    async def set_at_once(self, number: int | None) -> None:
        await spending.set_limits(self.services, GUILD, at_once=number)

    async def set_rate(self, rate: StartRate | None) -> None:
        await spending.set_limits(self.services, GUILD, rate=rate)

    async def pass_time(self, time: timedelta) -> None:
        self.clock.set(self.now + time)

    async def edge(self, *, end: bool) -> datetime | None:
        """Where the bot says that the present period begins, or ends."""
        period = (await spending.budget(self.services, GUILD)).window
        return period.end if end else period.start

    async def look(self, *, thoroughly: bool) -> Seen:
        """`thoroughly`: the bot's own check is asked, too."""
        async with self.storage.read() as transaction:
            budget = await transaction.run(budgets.state, GUILD, self.now)
            known = await transaction.run(queries.in_states, list(JobState))
            lines: dict[str, int] = {job.id: 0 for job in known}
            for line in await ledger_lines(transaction, guild_id=GUILD):
                if line.job_id is None:
                    continue
                adds = line.kind in (EntryKind.RESERVE, EntryKind.CORRECT)
                lines[line.job_id] += line.amount if adds else -line.amount
            members = {
                one: await transaction.run(limits.of_member, GUILD, one, ROLES[one], self.now)
                for one in MEMBERS
            }
            return Seen(
                budget.left,
                {user_id: state.left for user_id, state in members.items()},
                {user_id: state.use.going for user_id, state in members.items()},
                {job.id: (job.reserved, job.settled) for job in known},
                lines,
                {job.id: job.state for job in known if job.state in WAITING_FOR_MODERATORS},
                await transaction.run(ledger.differing) if thoroughly else [],
            )


def inputs_of(kind: str) -> dict[str, str]:
    mode, quality = kind.split()
    return {"source": "text", "prompt": "a house", "mode": mode, "quality": quality}


async def write(transaction: Transaction, statement: Update | Delete) -> None:
    """Straight into the tables, past all rules."""
    await transaction.run(lambda session: session.execute(statement))
