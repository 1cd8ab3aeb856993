"""Questions that a person is asked before a job starts: what is done with them once they are stored."""

from collections.abc import Collection
from dataclasses import replace

from bot.jobs.confirm import Confirmation
from bot.jobs.models import JobRequest, MemberContext
from bot.services.service import Service


class ConfirmationService(Service):
    """Reads and removes questions. `AcceptanceService.accept_all` asks them, and takes the answers."""

    async def open(self, confirmation_id: str) -> Confirmation | None:
        """Return the question, or None if it was answered, has expired, or is unknown."""
        async with self._storage.read() as transaction:
            found = await transaction.confirmations.get(confirmation_id)
        if found is None or found.used_at is not None or found.expires_at <= self._clock.now():
            return None
        return found

    async def shown(self, confirmation_id: str, message_id: int) -> None:
        """Store which message asks."""
        async with self._storage.write() as transaction:
            await transaction.confirmations.shown(confirmation_id, message_id)

    async def withdraw(self, ids: Collection[str]) -> None:
        """End questions that are asked for nothing: the engine removes them."""
        if ids:
            async with self._storage.write() as transaction:
                await transaction.confirmations.expire(ids, self._clock.now())


def confirmed(question: Confirmation, context: MemberContext) -> list[JobRequest]:
    """Return the requests that the person has confirmed, with the facts about them as they are now."""
    return [
        replace(request, context=context, agreed=question.price, confirmation=question.id)
        for request in question.requests
    ]
