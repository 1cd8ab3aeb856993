"""Choose which jobs the list shows: whose, in which state, of which tool, on which page; in custom ids."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Self

from bot.jobs.models import ACTIVE_STATES, UNSHOWN_STATES, JobState
from bot.languages import Message, plazy

MINE, SERVER = "mine", "server"
UNPOSTED = "unposted"  # results that wait for a moderator, or that one declined
ANY = "any"  # the choice that filters nothing
STATES: Mapping[str, tuple[Message, Collection[JobState]]] = {  # the label of a choice, and what it finds
    "open": (plazy("choice", "Waiting or running"), (*ACTIVE_STATES, JobState.REVIEWING)),
    "done": (plazy("choice", "Done"), (JobState.SUCCEEDED,)),
    "withheld": (plazy("choice", "Result not posted"), (JobState.WITHHELD,)),
    "failed": (plazy("choice", "Failed"), (JobState.FAILED,)),
    "cancelled": (plazy("choice", "Cancelled"), (JobState.CANCELLED,)),
    "unknown": (plazy("choice", "Outcome unknown"), (JobState.UNKNOWN,)),
}
UNPOSTED_LABELS: Mapping[str, Message] = {
    "open": plazy("choice", "Waiting for a moderator"),
    "withheld": plazy("choice", "Not posted"),
}
QUERY = (  # in custom ids
    rf"(?:{MINE}|{SERVER}|{UNPOSTED}):[0-9]{{1,6}}(?::(?:{'|'.join(STATES)})?:(?:[a-z0-9_-]{{1,32}})?)?"
)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of the list, from 0. `state` is a key of `STATES`, `tool` a slug; None filters nothing."""

    whose: str = MINE
    number: int = 0
    state: str | None = None
    tool: str | None = None

    @classmethod
    def of(cls, custom_id: str) -> Self:
        """Return the query in a custom id, as `QUERY` has matched it."""
        whose, number, *filters = custom_id.split(":")
        state, tool = filters or ("", "")
        return cls(whose, int(number), state or None, tool or None)

    @property
    def states(self) -> Collection[JobState] | None:
        chosen = None if self.state is None else STATES[self.state][1]
        if self.whose != UNPOSTED:
            return chosen
        return UNSHOWN_STATES if chosen is None else [one for one in chosen if one in UNSHOWN_STATES]

    @property
    def filtered(self) -> bool:
        return self.state is not None or self.tool is not None

    def page(self, number: int) -> Self:
        return replace(self, number=number)

    def by(self, name: str, value: str) -> Self:
        """Return the first page with another choice in one of the lists."""
        chosen = None if value == ANY else value
        return replace(self, number=0, **{name: chosen})

    def __str__(self) -> str:
        filters = f":{self.state or ''}:{self.tool or ''}" if self.filtered else ""
        return f"{self.whose}:{self.number}{filters}"
