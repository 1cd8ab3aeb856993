"""The rules of leases. Pure: the caller passes times, of a clock that runs on while the machine sleeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """Durations in seconds. Tests shorten them."""

    lasts: float = 20.0
    renewed_every: float = 5.0
    margin: float = 1.0  # by which a process believes that its lease ends earlier, as clocks differ in pace
    standby_pause: float = 1.0  # of a process that stands by, or can't reach the database
    free_bound: float = 30.0  # shards that are free for longer are an error
    tells_for: float = 300.0  # people are told of a database out of reach for so long after a lease ended


class Lease:
    """Until when a process may act. `renewing` is called before, and `renewed` after the database did it."""

    def __init__(self, times: LeaseTimes) -> None:
        self._times = times
        self._asked_at = 0.0
        self._until = 0.0

    def renewing(self, now: float) -> None:
        """Note that the database is being asked."""
        self._asked_at = now

    def renewed(self) -> None:
        """Note that it agreed. It counts from some moment after it was asked."""
        self._until = self._asked_at + self._times.lasts - self._times.margin

    def end(self) -> None:
        """Note that another process has taken over."""
        self._until = self._asked_at = float("-inf")

    def lasts_at(self, now: float) -> bool:
        """Return whether nobody else can have taken over by `now`."""
        return now < self._until

    def is_cut_off_at(self, now: float) -> bool:
        """Return whether the lease has ended for want of a database, not because this process stood still.

        A process that stood still has not tried to renew its lease since before it ended. A try can take
        several timeouts of a server that hangs.
        """
        tried_lately = now - self._asked_at < self._times.lasts - self._times.margin
        return not self.lasts_at(now) and tried_lately and now - self._until < self._times.tells_for
