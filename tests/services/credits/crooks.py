"""Banks with one mistake each, of the kinds that are made: none may go unnoticed."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from bot.domain import Budget, Job, JobState, Period, Window
from bot.domain.limits import MemberLimits, allowance
from bot.domain.periods import budget_period, period_name, window
from bot.domain.prices import Estimate, estimate
from bot.errors import Refused
from bot.lifecycle.prices import (
    KeyPrices,
    _end_without_room,  # pyright: ignore[reportPrivateUsage]
)
from bot.services.credits.budgets import BudgetState, ensure_credits_left, state_of_budget
from bot.services.limits import MemberState, state_of_member
from bot.services.questions.credit_requests import _give  # pyright: ignore[reportPrivateUsage]
from bot.storage import ReservationError, Transaction
from bot.storage.schema import jobs
from tests.services.credits.bank import GUILD, Answer, Bank, write
from tests.support.jobs import known


def no_check(*_: Any) -> None:
    pass


async def no_check_either(*_: Any) -> None:
    pass


async def corrects_nothing(*_: Any, told_less: bool) -> None: ...


class ChecksNothing(Bank):
    replaced = (
        ("bot.services.acceptance.decision.ensure_credits_left", no_check),
        ("bot.services.acceptance.decision.ensure_within", no_check),
    )


class ForgetsTheMembersLimits(Bank):
    replaced = (("bot.services.acceptance.decision.ensure_within", no_check),)


def one_too_many(state: BudgetState, price: Estimate) -> None:
    ensure_credits_left(state, replace(price, amount=max(0, price.amount - 1)))


class LetsOneCreditTooManyThrough(Bank):
    replaced = (("bot.services.acceptance.decision.ensure_credits_left", one_too_many),)


def only_what_is_paid(*given: Any) -> BudgetState:
    state = state_of_budget(*given)
    return replace(state, left=state.left + state.usage.reserved)


class CountsOnlyWhatIsPaid(Bank):
    replaced = (("bot.services.limits.member_limits.state_of_budget", only_what_is_paid),)


def one_less_going(*given: Any) -> MemberState:
    state = state_of_member(*given)
    return replace(state, going=state.going - 1)


class LetsOneTooManyGoAtOnce(Bank):
    replaced = (("bot.services.acceptance.decision.state_of_member", one_less_going),)


def any_time(*given: Any) -> MemberState:
    return replace(state_of_member(*given), next_start=None)


class ForgetsHowOftenOneMayStart(Bank):
    replaced = (("bot.services.acceptance.decision.state_of_member", any_time),)


def of_the_first_role(limits: MemberLimits, user_id: int, roles: Any) -> Any:
    return allowance(limits, user_id, sorted(roles)[:1])


class TakesTheFirstRoleAndNotTheHighest(Bank):
    replaced = (("bot.services.limits.member_limits.allowance", of_the_first_role),)


def in_utc(budget: Budget, timezone: str, now: datetime) -> tuple[Window, str]:
    period = window(budget, "UTC", now)
    return period, period_name(budget, timezone, period)


class ForgetsTheZone(Bank):
    replaced = (("bot.services.credits.budgets.budget_period", in_utc),)


def an_hour_short(budget: Budget, timezone: str, now: datetime) -> tuple[Window, str]:
    period, name = budget_period(budget, timezone, now)
    return period if period.start is None else replace(period, start=period.start + timedelta(hours=1)), name


class LosesAnHourOfEachPeriod(Bank):
    replaced = (("bot.services.credits.budgets.budget_period", an_hour_short),)


async def nothing_given(*_: Any) -> None: ...


class GrantsWithoutAnEntry(Bank):
    replaced = (("bot.services.questions.credit_requests._give", nothing_given),)


async def given_twice(transaction: Transaction, request: Any, at: datetime) -> None:
    await _give(transaction, request, at)
    await _give(transaction, request, at)


class GrantsTwiceForOneRequest(Bank):
    replaced = (("bot.services.questions.credit_requests._give", given_twice),)


def no_question(*_: Any, **__: Any) -> None: ...


class StartsWithoutAsking(Bank):
    replaced = (("bot.services.acceptance.decision.why_ask", no_question),)


async def used_by_no_one(*_: Any) -> None: ...


class StartsTwiceForOneAnswer(Bank):
    replaced = (("bot.storage.questions.confirmations.Confirmations.use", used_by_no_one),)


async def forgets_it(_: Transaction, job: Job, *, told: bool) -> Job:
    return job


class ForgetsACancellation(Bank):
    replaced = (("bot.services.jobs.cancel_if_not_taken", forgets_it),)


class ReservesWithoutABalance(Bank):
    async def accept(self, user_id: int, amount: int) -> Answer:
        job = await super().accept(user_id, amount)
        if isinstance(job, Job):
            async with self.storage.write() as transaction:
                await write(transaction, update(jobs).where(jobs.c.id == job.id).values(reserved=0))
        return job


class SettlesTheEstimate(Bank):
    async def end(self, job_id: str, way: str, charge: int | None) -> bool:
        job = await self.jobs.get(job_id)
        return await super().end(job_id, way, job.estimate if job else charge)


def never_upwards(charge: int, _before: int | None) -> int:
    return min(charge, 1)


class NeverCorrectsUpwards(Bank):
    replaced = (("bot.lifecycle.submission.reservation", never_upwards),)


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
            await transaction.ledger.release(await known(transaction, job_id), self.now)


class ChargesARulingTwice(Bank):
    async def rule(self, job_id: str, charge: int | None) -> None:
        await super().rule(job_id, None if charge is None else 2 * charge)


class RulesOnWhatIsKnown(Bank):
    async def rule(self, job_id: str, charge: int | None) -> None:
        with suppress(Refused):
            await super().rule(job_id, charge)


class PaysForWhatIsCancelled(Bank):
    async def cancel(self, job_id: str, user_id: int) -> None:
        job = await self.jobs.get(job_id)
        if job is not None and job.state in (JobState.RECEIVED, JobState.WAITING) and job.reserved:
            await super().start(job_id, None)
            await super().end(job_id, "paid", job.reserved)
        else:
            await super().cancel(job_id, user_id)


class KeepsHalfOfAFailure(Bank):
    async def fail_half_way(self, job_id: str) -> None:
        async with self.storage.write() as transaction:
            await transaction.ledger.settle(await known(transaction, job_id), 7, self.now)
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
    replaced = (("bot.services.credits.budgets.period_name", always_the_same),)


def by_its_first_moment(budget: Budget, timezone: str, period: Window) -> str:
    return f"{budget.period} {period.start}"


class LosesGrantsWhenTheServerMoves(Bank):
    replaced = (("bot.services.credits.budgets.period_name", by_its_first_moment),)


class NeverLowersALimit(Bank):
    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        old = (await self.credits.budget(GUILD)).settings.budget.limit
        await super().set_budget(limit and max(limit, old), period, restart=restart)


class BeginsATotalAnewWithEachLimit(Bank):
    async def set_budget(self, limit: int | None, period: Period | None, *, restart: bool) -> None:
        chosen = period or (await self.credits.budget(GUILD)).settings.budget.period
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
            for job in await transaction.jobs.in_states(list(JobState)):
                if job.reserved:
                    await transaction.ledger.release(job, self.now)


class SendsAllAtOnce(Bank):
    async def send(self, job_id: str) -> bool:
        async with self.storage.write() as transaction:
            await write(transaction, update(jobs).where(jobs.c.id == job_id).values(price_learned=True))
        return await super().send(job_id)


async def keeps_the_price_alone(prices: KeyPrices, job: Job, charge: int, _before: int | None) -> None:
    await prices.transaction.prices.learn(prices.lane, job.tool, job.variant, charge, prices.at)


class ForgetsWhatWaits(Bank):
    replaced = (("bot.lifecycle.prices.KeyPrices.learn", keeps_the_price_alone),)


class ForgetsWhatIsUnknown(Bank):
    replaced = (("bot.lifecycle.prices.KeyPrices._correct_sent", corrects_nothing),)


class CorrectsAndEndsNone(Bank):
    replaced = (("bot.lifecycle.prices._end_without_room", no_check_either),)


async def oldest_first(transaction: Transaction, risen: Any, prices: Any, at: datetime) -> None:
    await _end_without_room(transaction, list(reversed(risen)), prices, at)


class EndsTheOldest(Bank):
    replaced = (("bot.lifecycle.prices._end_without_room", oldest_first),)


class ForgetsAllowancesWhenPricesRise(Bank):
    replaced = (("bot.lifecycle.remaining_credits.allowance", no_check),)


async def being_sent(prices: Any, *_: Any) -> list[Job]:
    return await prices._jobs(select(jobs).where(jobs.c.state == JobState.SUBMITTING), {})


class DoesNotWaitForSilence(Bank):
    replaced = (("bot.storage.credits.prices.Prices.asking_with", being_sent),)


async def corrects_that_job_alone(
    prices: KeyPrices, job: Job, told: int | None, *_: Any, completed: bool
) -> bool:
    if told is not None and told > job.reserved:
        await prices.transaction.ledger.correct(job.id, told, prices.at)
    return False


class LearnsNothingAtTheEnd(Bank):
    replaced = (("bot.lifecycle.prices.KeyPrices.learn_at_end", corrects_that_job_alone),)


def believed(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    return estimate(assumed, guess if charged is None else charged, guess, in_catalogue)


class BelievesOtherKeys(Bank):
    replaced = (("bot.lifecycle.prices.estimate", believed),)


def free(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    return Estimate(0, True) if charged == 0 else estimate(assumed, charged, guess, in_catalogue)


class LetsNothingCostNothing(Bank):
    replaced = (("bot.lifecycle.prices.estimate", free),)


def the_present(budget: Budget, timezone: str, _: datetime) -> tuple[Window, str]:
    return budget_period(budget, timezone, datetime(2027, 3, 13, 9, tzinfo=UTC))


class EndsWhatAnotherDayHasNoRoomFor(Bank):
    replaced = (("bot.lifecycle.remaining_credits.budget_period", the_present),)
