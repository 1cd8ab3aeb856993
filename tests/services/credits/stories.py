"""Stories that go where books may be crooked, a few steps each."""

from collections.abc import Callable, Mapping

from bot.credits.limits import AllowanceScope, StartRate
from bot.domain.guilds import Period
from tests.services.credits import crooks
from tests.services.credits.accountant import EVERYONE
from tests.services.credits.bank import Bank
from tests.services.credits.bookkeeping import Bookkeeping

Story = Callable[[Bookkeeping], None]
POOR, RICH = 3, 4  # members
IMAGE, HIGH, VIDEO = "image standard", "image high", "video standard"


def opened(
    books: Bookkeeping,
    limit: int = 60,
    allowance: int = 60,
    at_once: int | None = None,
    rate: StartRate | None = None,
) -> None:
    books.open(limit=limit, allowance=allowance, at_once=at_once, rate=rate)


def a_budget_is_used_up(books: Bookkeeping) -> None:
    opened(books, limit=50)
    books.accept(POOR, 20)
    books.accept(RICH, 31)
    books.accept_what_is_left(RICH, 1)
    books.accept_what_is_left(RICH, 0)
    books.accept(POOR, 1)


def an_allowance_is_used_up(books: Bookkeeping) -> None:
    opened(books, limit=60, allowance=20)
    books.accept(POOR, 21)
    books.accept(POOR, 20)
    books.accept(POOR, 1)
    books.set_allowance((AllowanceScope.ROLE, 70), 5)
    books.set_allowance((AllowanceScope.ROLE, 71), 30)
    books.accept(RICH, 30)


def members_start_too_much(books: Bookkeeping) -> None:
    opened(books, at_once=1)
    books.accept(POOR, 1)
    books.accept(POOR, 1)
    books.set_pace(None, StartRate(1, 86_400))
    books.accept(POOR, 1)
    books.pass_time(25)
    books.accept(POOR, 1)


def charges_differ(books: Bookkeeping) -> None:
    opened(books)
    for way, number in (("done", 0), ("paid", 1), ("free", 2)):
        books.accept(POOR, 5)
        if way != "free":
            books.start(number, 9)
        books.end(number, way, 7)
    books.accept(RICH, 5)
    books.start(3, 2)
    books.end(3, "paid", 0)
    books.accept_what_is_left(RICH, 0)


def a_job_is_cancelled(books: Bookkeeping) -> None:
    opened(books)
    books.accept(POOR, 5)
    books.cancel(0)
    books.cancel(0)
    books.accept(POOR, 5)
    books.start(1, 5)
    books.cancel(1)


def a_request_is_granted(books: Bookkeeping) -> None:
    opened(books, limit=60, allowance=20)
    books.ask_for_more(POOR, 30, True)
    books.accept(POOR, 40)
    books.ask_for_more(RICH, 61, None)
    books.ask_for_more(RICH, 61, True)
    books.ask_for_more(POOR, 90, False)


def a_question_is_answered(books: Bookkeeping) -> None:
    opened(books)
    books.set_confirm(5)
    books.accept(POOR, 5)
    books.accept(POOR, 6)
    books.confirm(0)
    books.confirm(0)
    books.accept(RICH, 6)
    books.charge_more(7)
    books.confirm(1)
    books.confirm(1)


def a_cancellation_meets_a_submission(books: Bookkeeping) -> None:
    opened(books)
    books.accept(POOR, 5)
    books.send(0)
    books.cancel(0)
    books.not_taken(0)
    books.accept(POOR, 5)
    books.send(1)
    books.cancel(1)
    books.answer(1, 5)


def what_is_resolved_is_resolved_again(books: Bookkeeping) -> None:
    opened(books)
    for number, way in enumerate(("settle", "correct", "release")):
        books.accept(POOR, 5)
        books.do_wrong(number, way)
        books.start(number, 5)
        books.end(number, "paid", 5)
        books.do_wrong(number, way)


def an_answer_is_lost(books: Bookkeeping) -> None:
    opened(books)
    books.accept(POOR, 5)
    books.rule_on(0, 5)
    books.start(0, 5)
    books.rule_on(0, 5)
    for number, charge in ((1, 7), (2, None)):
        books.accept(POOR, 5)
        books.lose(number)
        books.rule_on(number, charge)
        books.rule_on(number, charge)


def credits_are_granted(books: Bookkeeping) -> None:
    opened(books, limit=20, allowance=20)
    books.grant(None, 10)
    books.grant(POOR, 5)
    books.grant(POOR, -6)
    books.accept_what_is_left(POOR, 0)
    books.set_zone("Pacific/Kiritimati")
    books.pass_time(30)
    books.accept_what_is_left(POOR, 0)


def a_zone_moves_the_day(books: Bookkeeping) -> None:
    opened(books)
    books.set_zone("Pacific/Kiritimati")
    books.go_to_the_edge_of_the_period(True, -1)
    books.accept(POOR, 5)
    books.go_to_the_edge_of_the_period(True, 0)
    books.accept(POOR, 6)
    books.start(0, 5)
    books.end(0, "paid", 5)
    books.pass_time(1)


def a_budget_is_changed(books: Bookkeeping) -> None:
    opened(books)
    books.accept(POOR, 10)
    books.set_budget(5, None, restart=False)
    books.set_budget(50, Period.TOTAL, restart=False)
    books.accept(POOR, 10)
    books.pass_time(30)
    books.set_budget(55, None, restart=False)
    books.restart(0)
    books.set_budget(None, None, restart=True)


def a_price_is_asked_for(books: Bookkeeping) -> None:
    opened(books, limit=60)
    for _ in range(3):
        books.accept_some(POOR, HIGH)
    books.accept_some(RICH, VIDEO)
    books.send(0)
    books.send(1)  # it waits
    books.answer(0, 20)
    books.send(1)
    books.answer(1, 20)
    books.accept_some(RICH, HIGH)


def studii_is_silent_about_a_charge(books: Bookkeeping) -> None:
    opened(books, limit=60)
    for _ in range(3):
        books.accept_some(POOR, HIGH)
    books.start(0, None)
    books.send(1)  # it waits
    books.pass_time(1)
    books.start(1, None)
    books.end(0, "done", 25)
    books.accept_some(RICH, HIGH)


def last_answers_have_the_last_word(books: Bookkeeping) -> None:
    opened(books, limit=80)
    for _ in range(4):
        books.accept_some(POOR, HIGH)
    books.start(0, 8)
    books.start(1, 8)
    books.end(0, "done", 30)
    books.accept_some(RICH, HIGH)
    books.start(2, 8)
    books.end(2, "done", 9)
    books.accept_some(RICH, HIGH)


def a_first_answer_is_lost(books: Bookkeeping) -> None:
    opened(books, limit=60)
    for _ in range(5):
        books.accept_some(POOR, HIGH)
    books.lose(0)
    books.end(1, "free", 0)
    books.start(2, 30)
    books.send(4)  # the last one has no room any more
    books.send(3)


def a_price_exceeds_an_allowance(books: Bookkeeping) -> None:
    opened(books, limit=60, allowance=16)
    books.set_allowance((AllowanceScope.ROLE, 71), 40)
    for member in (POOR, RICH, POOR, RICH):
        books.accept_some(member, HIGH)
    books.start(0, 15)
    for number in (1, 2, 3):
        books.send(number)
    books.set_allowance(EVERYONE, None)


def other_keys_have_other_prices(books: Bookkeeping) -> None:
    opened(books, limit=60)
    for charge in (0, 2, 30):
        books.charge_another_key(HIGH, charge)
        books.accept_some(POOR, HIGH)
    books.send(0)
    books.send(1)
    books.answer(0, 0)
    books.accept_some(POOR, HIGH)
    books.set_budget(0, None, restart=False)
    books.accept_some(POOR, HIGH)


def a_price_rises_for_what_waits_since_yesterday(books: Bookkeeping) -> None:
    opened(books, limit=60)
    for _ in range(3):
        books.accept(POOR, 20)
    books.pass_time(24)
    books.accept(RICH, 10)
    books.start(3, 25)
    for number in range(3):
        books.send(number)
    books.accept_what_is_left(RICH, 0)


# Each story, and which crooked books it finds out.
STORIES: Mapping[Story, tuple[type[Bank], ...]] = {
    a_budget_is_used_up: (
        crooks.ChecksNothing,
        crooks.LetsOneCreditTooManyThrough,
        crooks.CountsOnlyWhatIsPaid,
        crooks.ReservesWithoutABalance,
        crooks.NeverLowersALimit,
    ),
    an_allowance_is_used_up: (
        crooks.ForgetsTheMembersLimits,
        crooks.TakesTheFirstRoleAndNotTheHighest,
    ),
    members_start_too_much: (
        crooks.LetsOneTooManyGoAtOnce,
        crooks.ForgetsHowOftenOneMayStart,
    ),
    charges_differ: (
        crooks.SettlesTheEstimate,
        crooks.NeverCorrectsUpwards,
    ),
    studii_is_silent_about_a_charge: (crooks.DoesNotWaitForSilence,),
    last_answers_have_the_last_word: (crooks.LearnsNothingAtTheEnd,),
    a_request_is_granted: (crooks.GrantsWithoutAnEntry, crooks.GrantsTwiceForOneRequest),
    a_question_is_answered: (crooks.StartsWithoutAsking, crooks.StartsTwiceForOneAnswer),
    a_cancellation_meets_a_submission: (crooks.ForgetsACancellation,),
    a_job_is_cancelled: (crooks.PaysForWhatIsCancelled,),
    what_is_resolved_is_resolved_again: (
        crooks.SettlesTwice,
        crooks.HidesASecondResolution,
        crooks.KeepsHalfOfAFailure,
    ),
    an_answer_is_lost: (
        crooks.ReleasesWhatNobodyKnows,
        crooks.ChargesARulingTwice,
        crooks.RulesOnWhatIsKnown,
    ),
    credits_are_granted: (
        crooks.GrantsTwice,
        crooks.GivesMembersGrantsToTheServer,
        crooks.LetsGrantsCountForEver,
        crooks.LosesGrantsWhenTheServerMoves,
    ),
    a_zone_moves_the_day: (
        crooks.ForgetsTheZone,
        crooks.LosesAnHourOfEachPeriod,
        crooks.CountsByTheDayOfItsEnd,
    ),
    a_budget_is_changed: (
        crooks.BeginsATotalAnewWithEachLimit,
        crooks.FreesWhatIsOpenAtARestart,
    ),
    a_price_is_asked_for: (
        crooks.SendsAllAtOnce,
        crooks.ForgetsWhatWaits,
    ),
    a_first_answer_is_lost: (
        crooks.ForgetsWhatIsUnknown,
        crooks.CorrectsAndEndsNone,
    ),
    a_price_exceeds_an_allowance: (crooks.ForgetsAllowancesWhenPricesRise,),
    other_keys_have_other_prices: (
        crooks.BelievesOtherKeys,
        crooks.LetsNothingCostNothing,
    ),
    a_price_rises_for_what_waits_since_yesterday: (
        crooks.EndsTheOldest,
        crooks.EndsWhatAnotherDayHasNoRoomFor,
    ),
}
