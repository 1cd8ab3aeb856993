"""Banks with one mistake each, of the kinds that are made: none may go unnoticed."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.credits import budgets, charges, ledger
from bot.credits.budgets import BudgetState, budget_period, period_name, period_of, read
from bot.credits.charges import _locked  # pyright: ignore[reportPrivateUsage]
from bot.credits.ledger import ReservationError, Window
from bot.credits.limits import MemberLimits, MemberState, allowance, ensure_credits_left, state_of_member
from bot.credits.prices import Estimate, estimate
from bot.domain.guilds import Budget, Period
from bot.errors import Refused
from bot.jobs import queries
from bot.jobs.models import Job, JobState, jobs
from bot.jobs.transitions import change
from bot.reasons import ReasonCode
from bot.servers.settings import GuildSettings
from tests.services.credits.bank import GUILD, Answer, Bank, write
from tests.support import spending
from tests.support.jobs import settle_job


def no_check(*_: Any) -> None:
    pass


class ChecksNothing(Bank):
    replaced = (
        ("bot.jobs.decide.ensure_credits_left", no_check),
        ("bot.jobs.decide.ensure_within", no_check),
    )


class ForgetsTheMembersLimits(Bank):
    replaced = (("bot.jobs.decide.ensure_within", no_check),)


def one_too_many(state: BudgetState, price: Estimate) -> None:
    ensure_credits_left(state, replace(price, amount=max(0, price.amount - 1)))


class LetsOneCreditTooManyThrough(Bank):
    replaced = (("bot.jobs.decide.ensure_credits_left", one_too_many),)


def only_what_is_paid(*given: Any) -> dict[int, Any]:
    return {
        guild_id: (replace(state, usage=replace(state.usage, reserved=0)), *more)
        for guild_id, (state, *more) in read(*given).items()
    }


class CountsOnlyWhatIsPaid(Bank):
    replaced = (("bot.credits.limits.read", only_what_is_paid),)


def one_less_going(*given: Any) -> MemberState:
    state = state_of_member(*given)
    return replace(state, use=replace(state.use, going=state.use.going - 1))


class LetsOneTooManyGoAtOnce(Bank):
    replaced = (("bot.jobs.decide.state_of_member", one_less_going),)


def any_time(*given: Any) -> MemberState:
    return replace(state_of_member(*given), next_start=None)


class ForgetsHowOftenOneMayStart(Bank):
    replaced = (("bot.jobs.decide.state_of_member", any_time),)


def of_the_first_role(limits: MemberLimits, user_id: int, roles: Any) -> Any:
    return allowance(limits, user_id, sorted(roles)[:1])


class TakesTheFirstRoleAndNotTheHighest(Bank):
    replaced = (("bot.credits.limits.allowance", of_the_first_role),)


def in_utc(settings: GuildSettings, now: datetime) -> tuple[Window, str]:
    period = period_of(settings.budget, "UTC", now)
    return period, period_name(settings.budget, settings.timezone, period)


class ForgetsTheZone(Bank):
    replaced = (("bot.credits.budgets.budget_period", in_utc),)


def an_hour_short(settings: GuildSettings, now: datetime) -> tuple[Window, str]:
    period, name = budget_period(settings, now)
    return period if period.start is None else replace(period, start=period.start + timedelta(hours=1)), name


class LosesAnHourOfEachPeriod(Bank):
    replaced = (("bot.credits.budgets.budget_period", an_hour_short),)


def nothing_given(*_: Any) -> None: ...


class GrantsWithoutAnEntry(Bank):
    replaced = (("bot.credits.requests.ledger", SimpleNamespace(lock=ledger.lock, grant=nothing_given)),)


def given_twice(*grant: Any) -> None:
    ledger.grant(*grant)
    ledger.grant(*grant)


class GrantsTwiceForOneRequest(Bank):
    replaced = (("bot.credits.requests.ledger", SimpleNamespace(lock=ledger.lock, grant=given_twice)),)


def no_question(*_: Any, **__: Any) -> None: ...


class StartsWithoutAsking(Bank):
    replaced = (("bot.jobs.decide.why_ask", no_question),)


def used_by_no_one(*_: Any) -> None: ...


class StartsTwiceForOneAnswer(Bank):
    replaced = (("bot.jobs.confirm.take_answer", used_by_no_one),)


def forgets_it(session: Session, job_id: str, expected: JobState | None = None, **changes: Any) -> Job | None:
    if "cancel_told" in changes:
        return queries.find(session, job_id)
    return change(session, job_id, expected, **changes)


class ForgetsACancellation(Bank):
    replaced = (("bot.jobs.transitions.change", forgets_it),)


class ReservesWithoutABalance(Bank):
    async def accept(self, user_id: int, amount: int) -> Answer:
        job = await super().accept(user_id, amount)
        if isinstance(job, Job):
            async with self.storage.write() as transaction:
                await write(transaction, update(jobs).where(jobs.c.id == job.id).values(reserved=0))
        return job


class SettlesTheEstimate(Bank):
    async def end(self, job_id: str, way: str, charge: int | None) -> bool:
        job = await self.services.db.read(queries.get, job_id)
        return await super().end(job_id, way, job.estimate if job else charge)


def never_upwards(charge: int, _before: int | None) -> int:
    return min(charge, 1)


class NeverCorrectsUpwards(Bank):
    replaced = (("bot.credits.charges.reservation", never_upwards),)


class SettlesTwice(Bank):
    async def resolve_again(self, job_id: str, way: str) -> None:
        async with self.storage.write() as transaction:
            again = update(jobs).where(jobs.c.id == job_id).values(resolved_at=None)
            await write(transaction, again)
        await super().resolve_again(job_id, way)


class HidesASecondResolution(Bank):
    async def resolve_again(self, job_id: str, way: str) -> None:
        with suppress(ReservationError):
            await super().resolve_again(job_id, way)


class ReleasesWhatNobodyKnows(Bank):
    async def lose(self, job_id: str) -> None:
        await super().lose(job_id)
        async with self.storage.write() as transaction:
            await transaction.run(settle_job, job_id, 0, self.now)


class ChargesARulingTwice(Bank):
    async def rule(self, job_id: str, charge: int | None) -> None:
        await super().rule(job_id, None if charge is None else 2 * charge)


class RulesOnWhatIsKnown(Bank):
    async def rule(self, job_id: str, charge: int | None) -> None:
        with suppress(Refused):
            await super().rule(job_id, charge)


class PaysForWhatIsCancelled(Bank):
    async def cancel(self, job_id: str, user_id: int) -> None:
        job = await self.services.db.read(queries.get, job_id)
        if job is not None and job.state in (JobState.RECEIVED, JobState.WAITING) and job.reserved:
            await super().start(job_id, None)
            await super().end(job_id, "paid", job.reserved)
        else:
            await super().cancel(job_id, user_id)


class KeepsHalfOfAFailure(Bank):
    async def fail_half_way(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.run(settle_job, job_id, 7, self.now)
        raise LookupError


class GrantsTwice(Bank):
    async def grant(self, user_id: int | None, amount: int) -> None:
        await super().grant(user_id, amount)
        await super().grant(user_id, amount)


class GivesMembersGrantsToTheServer(Bank):
    async def grant(self, user_id: int | None, amount: int) -> None:
        await super().grant(None, amount)


def always_the_same(*_: Any) -> str:
    return "for ever"


class LetsGrantsCountForEver(Bank):
    replaced = (("bot.credits.budgets.period_name", always_the_same),)


def by_its_first_moment(budget: Budget, timezone: str, period: Window) -> str:
    return f"{budget.period} {period.start}"


class LosesGrantsWhenTheServerMoves(Bank):
    replaced = (("bot.credits.budgets.period_name", by_its_first_moment),)


class NeverLowersALimit(Bank):
    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        old = (await spending.budget(self.services, GUILD)).settings.budget.limit
        await super().set_budget(limit and max(limit, old), period, restart=restart)


class BeginsATotalAnewWithEachLimit(Bank):
    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        chosen = period or (await spending.budget(self.services, GUILD)).settings.budget.period
        await super().set_budget(limit, period, restart=restart or chosen is Period.TOTAL)


class CountsByTheDayOfItsEnd(Bank):
    async def end(self, job_id: str, way: str, charge: int | None) -> bool:
        ended = await super().end(job_id, way, charge)
        async with self.storage.write() as transaction:
            moved = update(jobs).where(jobs.c.id == job_id).values(created_at=self.now)
            await write(transaction, moved)
        return ended


class FreesWhatIsOpenAtARestart(Bank):
    async def restart(self) -> None:
        await super().restart()
        async with self.storage.write() as transaction:
            for job in await transaction.run(queries.in_states, list(JobState)):
                if job.reserved:
                    await transaction.run(settle_job, job.id, 0, self.now)


class SendsAllAtOnce(Bank):
    async def send(self, job_id: str) -> bool:
        async with self.storage.write() as transaction:
            await write(transaction, update(jobs).where(jobs.c.id == job_id).values(price_learned=True))
        return await super().send(job_id)


def keeps_the_price_alone(
    session: Session, _: Any, lane: str, job: Job, charge: int, at: datetime, **_more: Any
) -> None:
    charges.learn(session, lane, job.tool, job.variant, charge, at)


class ForgetsWhatWaits(Bank):
    replaced = (("bot.credits.charges._set", keeps_the_price_alone),)


def none_unknown(session: Session, states: Any, *which: Any) -> list[Job]:
    return [] if JobState.UNKNOWN in states else _locked(session, states, *which)


class ForgetsWhatIsUnknown(Bank):
    replaced = (("bot.credits.charges._locked", none_unknown),)


class CorrectsAndEndsNone(Bank):
    replaced = (("bot.credits.charges._exceeded", no_check),)


def counts_the_later_ones(session: Session, job: Job, _: datetime) -> ReasonCode | None:
    left = budgets.state(session, job.guild_id, job.created_at).left
    return ReasonCode.NO_ROOM_IN_BUDGET if left < 0 else None


class EndsTheOldest(Bank):
    replaced = (("bot.credits.charges._exceeded", counts_the_later_ones),)


class ForgetsAllowancesWhenPricesRise(Bank):
    replaced = (("bot.credits.charges.allowance", no_check),)


class DoesNotWaitForSilence(Bank):
    replaced = (("bot.credits.charges.SILENT_FOR", timedelta(0)),)


def corrects_that_job_alone(
    session: Session,
    _: Any,
    _lane: str,
    job: Job,
    told: int | None,
    at: datetime,
    *,
    completed: bool,
) -> bool:
    if told is not None and told > job.reserved:
        ledger.correct(session, [job], told, at)
    return False


class LearnsNothingAtTheEnd(Bank):
    replaced = (("bot.credits.charges.told_at_end", corrects_that_job_alone),)


def believed(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    return estimate(assumed, guess if charged is None else charged, guess, in_catalogue)


class BelievesOtherKeys(Bank):
    replaced = (("bot.credits.prices.estimate", believed),)


def free(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    return Estimate(0, True) if charged == 0 else estimate(assumed, charged, guess, in_catalogue)


class LetsNothingCostNothing(Bank):
    replaced = (("bot.credits.prices.estimate", free),)


def the_present(settings: GuildSettings, _: datetime) -> tuple[Window, str]:
    return budget_period(settings, datetime(2027, 3, 13, 9, tzinfo=UTC))


class EndsWhatAnotherDayHasNoRoomFor(Bank):
    replaced = (("bot.credits.charges.budget_period", the_present),)
