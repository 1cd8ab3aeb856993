"""A member asks an admin for more credits; an admin grants them, or declines."""

import secrets
from collections.abc import Collection
from datetime import datetime

from bot.domain.credit_requests import REQUEST_LASTS, CreditRequest, RequestState, amount_for
from bot.errors import CreditsWanted, NotAllowed, Refused
from bot.languages import lazy
from bot.lifecycle.budget_alerts import watch_budget
from bot.servers import notices, settings
from bot.servers.notices import NoticeKind
from bot.services.credits.budgets import MAX_BUDGET, budget_state
from bot.services.limits import member_state
from bot.services.service import ToolService
from bot.services.wording import discord_timestamp
from bot.storage import Transaction

ENOUGH_NOW = lazy("You have enough credits for this now. Try again.")
UNKNOWN_REQUEST = lazy("There's no such request here. Nothing was granted.")
NO_BUDGET_FOR_IT = lazy("That price is too high to ask for.")
ANSWERED = {
    RequestState.GRANTED: lazy("{admin} has already granted this."),
    RequestState.DECLINED: lazy("{admin} has already declined this."),
    RequestState.EXPIRED: lazy("This request has expired. `/studii grant` still adds credits."),
    RequestState.LEFT: lazy("This member isn't in the server any more. Nothing was granted."),
}


class CreditRequestService(ToolService):
    """Takes requests for more credits, and their answers."""

    async def ask(
        self, wanted: CreditsWanted, user_id: int, roles: Collection[int], channel_id: int
    ) -> CreditRequest:
        """Ask the server's admins for the credits that the member lacks for a job of that price.

        Raises `Refused` if they don't lack any, or have asked already.
        """
        guild_id, price, slug = wanted.guild_id, wanted.price, self._catalog.get(wanted.tool).slug
        if not 0 < price <= MAX_BUDGET:
            raise Refused(NO_BUDGET_FOR_IT)
        now = self._clock.now()
        async with self._changing() as transaction:
            await transaction.ledger.lock(guild_id)
            of_member, of_server = await _missing(transaction, guild_id, user_id, roles, price, now)
            if of_member <= 0 and of_server <= 0:
                raise Refused(ENOUGH_NOW)
            await _ensure_none_open(transaction, guild_id, user_id, now)
            request = CreditRequest(
                id=secrets.token_hex(8),
                guild_id=guild_id,
                user_id=user_id,
                channel_id=channel_id,
                tool=slug,
                price=price,
                amount=amount_for(max(of_member, of_server)),
                of_member=of_member > 0,
                of_server=of_server > 0,
                state=RequestState.OPEN,
                created_at=now,
            )
            await transaction.credit_requests.add(request)
            in_place = bool((await transaction.run(settings.log_of, guild_id)).requests_in_place)
            await _add_notice(transaction, NoticeKind.CREDITS_ASKED, request, now, in_place=in_place)
        return request

    async def get(self, request_id: str) -> CreditRequest:
        """Return the request. Raises `Refused` if it is unknown."""
        async with self._storage.read() as transaction:
            request = await transaction.credit_requests.get(request_id)
        if request is None:
            raise Refused(UNKNOWN_REQUEST)
        return request

    async def grant(self, request_id: str, by: int) -> CreditRequest:
        """Grant what was asked for, once. Raises `Refused` if it was answered already."""
        return await self._answer(request_id, RequestState.GRANTED, by)

    async def decline(self, request_id: str, by: int) -> CreditRequest:
        """Decline what was asked for. Raises `Refused` if it was answered already."""
        return await self._answer(request_id, RequestState.DECLINED, by)

    async def left(self, request_id: str, by: int) -> CreditRequest:
        """End the request of a member who isn't in the server any more."""
        return await self._answer(request_id, RequestState.LEFT, by)

    async def _answer(self, request_id: str, state: RequestState, by: int) -> CreditRequest:
        asked, now = await self.get(request_id), self._clock.now()
        async with self._changing() as transaction:
            await transaction.ledger.lock(asked.guild_id)
            if asked.created_at <= now - REQUEST_LASTS:
                await transaction.credit_requests.answer(request_id, RequestState.EXPIRED, None, now)
            answered = await transaction.credit_requests.answer(request_id, state, by, now)
            if answered is not None and state is RequestState.GRANTED:
                await _give(transaction, answered, now)
            if answered is not None and state is not RequestState.LEFT:
                await _add_notice(transaction, NoticeKind.CREDITS_ANSWER, answered, now)
        if answered is None:
            known = await self.get(request_id)
            raise NotAllowed(ANSWERED[known.state].using(admin=f"<@{known.answered_by}>"))
        return answered


async def _add_notice(
    transaction: Transaction,
    kind: NoticeKind,
    request: CreditRequest,
    at: datetime,
    *,
    in_place: bool = False,
) -> None:
    """Add the notice. `in_place`: it is posted where the member asked, not in the log channel."""
    details: dict[str, str | int | None] = {
        "user": request.user_id,
        "tool": request.tool,
        "price": request.price,
        "amount": request.amount,
        "state": request.state.value,
        "server": int(request.of_server),
        "member": int(request.of_member),
        "asked_in": request.channel_id,
        "in_place": int(in_place),
    }
    await transaction.run(notices.add, request.guild_id, kind, request.id, at=at, details=details)


async def _missing(
    transaction: Transaction, guild_id: int, user_id: int, roles: Collection[int], price: int, at: datetime
) -> tuple[int, int]:
    """Return how many credits the member's allowance and the server's budget lack: 0 or less if they
    suffice."""
    member = await member_state(transaction, guild_id, user_id, roles, at)
    return (0 if member.left is None else price - member.left), price - member.budget.left


async def _ensure_none_open(transaction: Transaction, guild_id: int, user_id: int, at: datetime) -> None:
    """Raise `Refused` if the member has an open request; one that is a day old ends."""
    before = await transaction.credit_requests.open_of(guild_id, user_id)
    if before is None:
        return
    if before.created_at > at - REQUEST_LASTS:
        raise Refused(
            lazy(
                # Translators: {when} is shown as "3 hours ago".
                "You already asked {when}. You'll be told when an admin answers.",
                when=discord_timestamp(before.created_at),
            )
        )
    await transaction.credit_requests.answer(before.id, RequestState.EXPIRED, None, at)


async def _give(transaction: Transaction, request: CreditRequest, at: datetime) -> None:
    """Grant the credits for the present period to the member, the server or both."""
    budget = await budget_state(transaction, request.guild_id, at)
    whose = [*([request.user_id] if request.of_member else []), *([None] if request.of_server else [])]
    for user_id in whose:
        await transaction.ledger.grant(request.guild_id, user_id, request.amount, budget.period_name, at)
    await watch_budget(transaction, request.guild_id, at)
