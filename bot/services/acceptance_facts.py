"""Read what decides about several requests: once for each server, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from bot.catalog import Catalog
from bot.domain import JobRequest, Usage
from bot.domain.limits import counted_since
from bot.services.acceptance import Acceptance, ServerState
from bot.services.budgets import budget_period, state_of_budget
from bot.services.limits import MemberUse
from bot.storage import ServerConfig, Transaction


async def acceptance_of(
    tx: Transaction, catalog: Catalog, requests: Sequence[JobRequest], at: datetime, *, max_source_bytes: int
) -> Acceptance:
    """Return the state in which these requests are to be decided.

    The caller holds the ledger's lock of their servers if it is going to store what was decided.
    """
    asking: dict[int, set[int]] = {}
    for request in requests:
        asking.setdefault(request.guild_id, set()).add(request.user_id)
    configs = await tx.servers.some(asking)
    servers = {
        guild_id: await _state(tx, configs[guild_id], sorted(members), at)
        for guild_id, members in asking.items()
    }
    authors = {one.photo_author for one in requests if one.photo_author not in {None, one.user_id}}
    once = {one.once for one in requests if one.once is not None}
    return Acceptance(
        catalog,
        servers,
        at,
        refusing=await tx.policies.refusing_photos([one for one in authors if one]) if authors else (),
        done=await tx.jobs.going_or_done_of(once) if once else (),
        max_source_bytes=max_source_bytes,
    )


async def _state(tx: Transaction, config: ServerConfig, members: Sequence[int], at: datetime) -> ServerState:
    settings, limits = config.settings, config.limits
    if config.key is None or settings.paused:
        return ServerState(config)
    guild_id = settings.guild_id
    period, name = budget_period(settings, at)
    limited = members if limits.own or limits.roles or limits.default is not None else ()
    usage, used = await tx.ledger.usage_of(guild_id, period, limited)
    grants = await tx.ledger.grants(guild_id, name)
    going = {} if limits.at_once is None else await tx.jobs.going_of(guild_id, members)
    starts: dict[int, list[datetime]] = {}
    if limits.rate is not None:
        since = counted_since(limits.rate, at)
        starts = await tx.jobs.started_by(guild_id, members, since, at)
    return ServerState(
        config,
        state_of_budget(settings, period, usage, grants.get(None, 0)),
        {
            one: MemberUse(used.get(one, Usage()), grants.get(one, 0), going.get(one, 0), starts.get(one, ()))
            for one in members
        },
    )
