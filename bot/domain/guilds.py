"""Servers: their settings, budget and Studii key."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.languages import Language


class Period(StrEnum):
    """The period after which a server's budget renews, in the server's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"  # a one-off total that never renews


class Plan(StrEnum):
    """Studii's plans that have API access, by name.

    Rate limits: Studii API docs, "Rate limits" (Pro 60 a minute, Team and Business 300).
    """

    PRO = "pro"
    TEAM = "team"
    BUSINESS = "business"

    @property
    def requests_per_minute(self) -> int:
        return 60 if self is Plan.PRO else 300


DEFAULT_BUDGET = 100  # credits a day, until an admin sets a budget


@dataclass(frozen=True, slots=True)
class Budget:
    """The credits that a server may spend. A one-off total counts from `since`, when the budget was set."""

    limit: int = DEFAULT_BUDGET
    period: Period = Period.DAY
    since: datetime | None = None  # None if the default budget applies


@dataclass(frozen=True, slots=True)
class ServerLanguage:
    """The language of a server's channels: the one that admins chose. Otherwise that of the admin who ran the
    setup, unless Discord knows the server's language."""

    chosen: Language | None = None
    of_admin: Language | None = None


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """A server's settings. The defaults apply to a server that has set nothing."""

    guild_id: int
    key_id: int | None = None
    budget: Budget = field(default_factory=Budget)
    timezone: str = "UTC"
    paused: bool = False  # new jobs are refused
    keeps_metadata: bool = False  # photos keep their location, camera and so on
    confirm_above: int | None = None  # credits; people are asked before a job that costs more
    has_panel: bool = False  # buttons for every tool were posted
    language: ServerLanguage = ServerLanguage()


@dataclass(frozen=True, slots=True)
class StudiiKey:
    """A server's encrypted Studii key.

    `lane` is a keyed hash of the secret, so two servers with the same key have the same lane.
    """

    id: int
    guild_id: int
    lane: str
    hint: str  # the last four characters
    plan: Plan
    ciphertext: bytes
    created_at: datetime
    retired_at: datetime | None = None
    plan_at: datetime | None = None  # when the plan was chosen, or None if with the key

    @property
    def plan_chosen_at(self) -> datetime:
        return self.plan_at or self.created_at

    @property
    def masked(self) -> str:
        return f"stu_…{self.hint}"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """A server's log channel, and what goes there.

    `requests_in_place`: members' requests for credits are posted where they ask, for those with Manage
    Server, and not in the log channel.
    """

    channel_id: int | None = None
    results: bool = False
    requests_in_place: bool = False
