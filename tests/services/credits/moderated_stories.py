"""Stories in which moderators decide, and where books may be crooked."""

from collections.abc import Callable, Mapping

from bot.jobs.models import APPROVAL_HOURS
from tests.services.credits import moderated_crooks as crooks
from tests.services.credits.bank import Bank
from tests.services.credits.moderated_books import ModeratedBooks
from tests.services.credits.stories import HIGH, POOR, RICH, opened

Story = Callable[[ModeratedBooks], None]


def moderated(books: ModeratedBooks, *, results: bool = False, limit: int = 60) -> None:
    opened(books, limit=limit)
    books.set_approval(True, results)


def requested(books: ModeratedBooks, *amounts: int, results: bool = False) -> None:
    """Jobs that wait for approval, in books that were just opened."""
    moderated(books, results=results)
    for number, amount in enumerate(amounts):
        books.accept(POOR, amount)
        books.take_in(number)


def made(books: ModeratedBooks, *amounts: int) -> None:
    """Results that wait for a look."""
    requested(books, *amounts, results=True)
    for number, amount in enumerate(amounts):
        books.approve(number)
        books.start(number, amount)
        books.end(number, "done", amount)


def a_request_is_approved(books: ModeratedBooks) -> None:
    requested(books, 5)
    books.send(0)
    books.approve_ones_own(0)
    books.approve(0)
    books.approve(0)
    books.start(0, 5)
    books.end(0, "done", 5)
    books.approve(0)


def a_request_is_declined(books: ModeratedBooks) -> None:
    requested(books, 5, 6)
    books.decline(0)
    books.decline(0)
    books.approve(0)
    books.approve(1)
    books.decline(1)
    books.start(1, 6)


def a_requester_leaves(books: ModeratedBooks) -> None:
    requested(books, 5)
    books.approve(0, True)


def a_request_is_cancelled(books: ModeratedBooks) -> None:
    requested(books, 5)
    books.cancel(0)
    books.approve(0)
    books.decline(0)


def a_budget_is_lowered_meanwhile(books: ModeratedBooks) -> None:
    requested(books, 20)
    books.set_budget(10, None, restart=False)
    books.approve(0)
    books.set_budget(20, None, restart=False)
    books.approve(0)


def a_price_rises_while_requests_wait(books: ModeratedBooks) -> None:
    moderated(books)
    for number in range(3):
        books.accept_some(POOR, HIGH)
        books.take_in(number)
    books.approve(0)
    books.start(0, 25)
    books.approve(1)
    books.approve(2)


def a_set_is_decided_on_together(books: ModeratedBooks) -> None:
    moderated(books)
    for first, decide in ((0, books.approve), (3, books.decline)):
        books.accept_set(RICH, HIGH, 3)
        for number in range(first, first + 3):
            books.take_in(number)
        books.cancel(first)
        decide(first + 1)
        decide(first + 2)


def nobody_decides_on_a_request(books: ModeratedBooks) -> None:
    requested(books, 5)
    books.leave_undecided(APPROVAL_HOURS - 1)
    books.accept(RICH, 6)
    books.take_in(1)
    books.leave_undecided(1)
    books.approve(0)
    books.approve(1)


def a_key_is_revoked_meanwhile(books: ModeratedBooks) -> None:
    requested(books, 5, 6)
    books.accept(RICH, 7)
    books.approve(1)
    books.revoke_key(0)
    books.approve(0)


def a_result_is_looked_at(books: ModeratedBooks) -> None:
    made(books, 5, 6, 7)
    for number, way in enumerate(("approved", "declined", "left")):
        books.look_at(number, way)
        books.look_at(number, "declined")
        books.release(number)


def nobody_looks_at_a_result(books: ModeratedBooks) -> None:
    made(books, 5)
    books.leave_undecided(APPROVAL_HOURS - 1)
    books.leave_undecided(1)
    books.look_at(0, "approved")
    books.release(0)


def looks_are_turned_off(books: ModeratedBooks) -> None:
    made(books, 5)
    books.accept(POOR, 6)
    books.take_in(1)
    books.set_approval(False, False)
    books.approve(1)
    books.start(1, 6)
    books.end(1, "done", 6)
    books.look_at(0, "approved")


# Each story, and which crooked books it finds out.
MODERATED_STORIES: Mapping[Story, tuple[type[Bank], ...]] = {
    a_request_is_approved: (
        crooks.SendsWithoutApproval,
        crooks.ReservesAgainWithApproval,
        crooks.LetsThemApproveTheirOwn,
    ),
    a_request_is_declined: (
        crooks.ChargesWhatIsDeclined,
        crooks.KeepsWhatIsDeclinedReserved,
        crooks.RevivesWhatHasEnded,
    ),
    a_requester_leaves: (crooks.ApprovesForThoseWhoLeft,),
    a_request_is_cancelled: (),
    a_budget_is_lowered_meanwhile: (crooks.ApprovesPastALoweredBudget,),
    a_price_rises_while_requests_wait: (),
    a_set_is_decided_on_together: (crooks.DecidesOnOneOfASet,),
    nobody_decides_on_a_request: (crooks.ForgetsThatADayHasPassed, crooks.EndsUndecidedTooEarly),
    a_key_is_revoked_meanwhile: (crooks.KeepsRequestsWithoutAKey,),
    a_result_is_looked_at: (
        crooks.PostsWithoutALook,
        crooks.PaysWhenItIsLookedAt,
        crooks.ReleasesWhatWasSettled,
        crooks.PaysAgainForAnApprovedResult,
        crooks.HidesASecondDecision,
        crooks.PostsForThoseWhoLeft,
    ),
    nobody_looks_at_a_result: (),
    looks_are_turned_off: (),
}
