"""Store the questions that are asked before jobs start, and take each answer once."""

from dataclasses import replace
from datetime import datetime

from bot.errors import Refused
from bot.jobs.confirm import MAX_OPEN_QUESTIONS, Confirmation, expiry
from bot.jobs.models import JobRequest, MemberContext
from bot.languages import nlazy
from bot.services.acceptance.errors import BeingAsked, ConfirmationNeeded
from bot.storage import Transaction

TOO_MANY = nlazy(
    "You have {count} job here that waits for your confirmation. Answer it, or try again in a few minutes. "
    "Nothing was charged.",
    "You have {count} jobs here that wait for your confirmation. Answer one of them, or try again in a few "
    "minutes. Nothing was charged.",
    MAX_OPEN_QUESTIONS,
)


async def take_answer(transaction: Transaction, request: JobRequest, at: datetime) -> None:
    """Store that the request's question was answered, if its jobs start by an answer to one.

    About requests that are accepted together, as a set, there is one question: `request` is any of them.
    """
    if request.confirmation is None:
        return
    await transaction.confirmations.use([request.confirmation], at)
    if request.tapped is not None:
        await transaction.confirmations.has_tapped(request.guild_id, request.user_id, at)


async def store_question(transaction: Transaction, needed: ConfirmationNeeded, at: datetime) -> Confirmation:
    """Store the question, unless it is stored already as its commit got no answer, and return it.

    Raises `BeingAsked` if there is another one about the same, or `Refused` if the person has too many to
    answer already.
    """
    request, price = needed.request, needed.price
    questions = transaction.confirmations
    question = Confirmation(
        id=needed.id,
        request=_bare(request),
        others=tuple(map(_bare, needed.others)),
        price=price.amount,
        learned=price.learned,
        why=needed.why,
        created_at=at,
        expires_at=expiry(request, at),
    )
    if request.confirmation is not None:
        await questions.ask_again(request.confirmation, price.amount, needed.why, learned=price.learned)
        return question
    asked = None if request.once is None else await questions.asked_once(request.once)
    if asked == needed.id:
        return question
    if asked is not None:
        raise BeingAsked
    if await questions.count_of(request.guild_id, request.user_id, at) >= MAX_OPEN_QUESTIONS:
        raise Refused(TOO_MANY)
    await questions.add(question)
    return question


def _bare(request: JobRequest) -> JobRequest:
    """Return the request without the facts that are read again when the question is answered."""
    return replace(request, context=MemberContext(), shown_price=None, agreed=None, confirmation=None)
