"""Accounts and their API keys (Studii API docs, Authentication, Spend caps, Rate limits)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from sandbox.studii.ratelimit import RateLimiter

Plan = Literal["starter", "pro", "team", "business"]

REQUESTS_PER_MINUTE: dict[Plan, int] = {"starter": 60, "pro": 60, "team": 300, "business": 300}


@dataclass(eq=False)
class Account:
    """A Studii user: jobs, uploads and credits belong to the account, not to the key."""

    plan: Plan
    granted: int
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(eq=False)
class Key:
    account: Account
    cap: int | None
    tools: frozenset[str] | None
    limiter: RateLimiter
    tells_retry_after: bool
    charges: Callable[["Key | Account"], int] = field(repr=False)
    secret: str = field(default_factory=lambda: f"stu_{secrets.token_hex(20)}", repr=False)
    revoked: bool = False

    @property
    def hint(self) -> str:
        return f"stu_…{self.secret[-4:]}"

    @property
    def balance(self) -> int:
        """Credits left in the account, refunds of failed jobs included."""
        return self.account.granted - self.charges(self.account)

    @property
    def spent(self) -> int:
        """Credits charged through this key, refunds taken off."""
        return self.charges(self)

    def revoke(self) -> None:
        self.revoked = True
