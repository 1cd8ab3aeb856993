"""What meets an unforeseen error is left aside for a while, and all else goes on."""

from collections.abc import Callable, Hashable

from bot.aio.loops import Complaints
from bot.clock import Clock


class Aside:
    """Does one piece of work for each of many subjects, none of which may stand in the way of the others."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._complaints = Complaints(what)
        self._clock = clock
        self._until: dict[Hashable, float] = {}

    def attempt(self, subject: Hashable, work: Callable[[], None], job: str | None = None) -> None:
        """Do it, unless it failed for that subject a short while ago; each time that is left alone longer."""
        now = self._clock.monotonic()
        if self._until.get(subject, now) > now:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            pause = self._complaints.about(error, subject, job=job)
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[subject] = now + pause
        else:
            if self._until.pop(subject, None) is not None:
                self._complaints.none(subject)
