"""A question before a job keeps all of the request that its job gets."""

from dataclasses import fields, replace
from typing import Any

from bot.credits.budgets import Estimate
from bot.db import Database
from bot.jobs import confirm
from bot.jobs.confirm import ConfirmationNeeded, WhyAsk
from bot.jobs.models import JobRequest, MemberContext
from tests.support.jobs import NOW, PHOTO

# Known anew when the question is answered: who asks, the price, and the set that its requests then make.
KNOWN_ANEW = {"context", "shown_price", "agreed", "confirmation", "set_id"}
# Which inputs are the person's own decides whether a rule about words pauses them, before the question.
CHECKED_BEFORE = {"own"}
KEPT: dict[str, Any] = {
    "guild_id": 100,
    "channel_id": 200,
    "user_id": 300,
    "tool": "virtual-staging",
    "inputs": {"style": "modern"},
    "source": replace(PHOTO, message_id=7, channel_id=200),
    "private": True,
    "photo_author": 301,
    "origin_message_id": 7,
    "once": "a" * 64,
    "tapped": "🛋️",
    "age_restricted": False,
    "post_channel_id": 201,
    "in_thread": True,
}


async def test_a_confirmed_request_is_as_it_was(db: Database) -> None:
    names = {one.name for one in fields(JobRequest)}
    assert names == KEPT.keys() | KNOWN_ANEW | CHECKED_BEFORE  # a new field has to be in one of these
    request = JobRequest(**KEPT)
    defaults = {one.name: one.default for one in fields(JobRequest)}
    assert [name for name, value in KEPT.items() if value == defaults[name]] == []
    asked_with = replace(request, context=MemberContext(roles=frozenset({7})), shown_price=4)
    other = replace(asked_with, once="b" * 64, source=replace(PHOTO, message_id=8, channel_id=200))
    needed = ConfirmationNeeded(asked_with, Estimate(8, learned=True), WhyAsk.PRICE, [other])
    asked = await db.write(confirm.store, needed, NOW)
    stored = await db.read(confirm.find_open, needed.id, NOW)
    assert stored == asked
    assert stored is not None
    assert stored.requests == (request, replace(request, once=other.once, source=other.source))


SET = "5" * 16
