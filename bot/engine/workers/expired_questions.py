"""Questions to persons that are over are removed, with the messages that show them."""

from datetime import datetime, timedelta

from bot.aio.loops import WakeUp, run_forever
from bot.db import WRITE_TIMEOUT
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.jobs import confirm
from bot.jobs.confirm import Confirmation


class ExpiredQuestions:
    """Removes questions that were answered, withdrawn or have expired; also those of an earlier life."""

    def __init__(self, context: EngineContext, delivery: Delivery) -> None:
        self._context = context
        self._delivery = delivery
        self._wake_up = WakeUp()

    async def run(self) -> None:
        """Remove questions that are over, until cancelled."""
        await run_forever("removing questions that are over", self._wake_up, self._sweep)

    def reread(self) -> None:
        """Read the questions again."""
        self._wake_up.set()

    async def _sweep(self) -> float:
        now, tuning = self._context.clock.now(), self._context.tuning
        db = self._context.db
        questions = await db.read(confirm.all_questions)
        over = [one for one in questions if one.used_at is not None or one.expires_at <= now]
        removed = [one.id for one in over if await self._removed(one)]
        if removed:
            await db.write(confirm.remove, removed, within=WRITE_TIMEOUT)
        ends = [one.expires_at for one in questions]
        due = [(end - now).total_seconds() for end in ends if end > now]
        most = tuning.questions_reread if questions else tuning.reread_every  # an answer to one wakes nothing
        return max(0.0, min([most, *due]))

    async def _removed(self, question: Confirmation) -> bool:
        """Return whether no message asks it any more, or none that we can remove."""
        if not question.under_photo or await self._delivery.remove_question(question):
            return True
        return self._given_up(question.expires_at)

    def _given_up(self, expired_at: datetime) -> bool:
        bound = timedelta(seconds=self._context.tuning.question_removal_bound)
        return self._context.clock.now() - expired_at > bound
