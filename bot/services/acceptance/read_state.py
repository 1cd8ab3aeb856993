"""Read what decides about several requests: once for each server, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.credits import limits, prices
from bot.jobs import queries
from bot.jobs.models import JobRequest
from bot.servers import access, config
from bot.services.acceptance.decision import Acceptance, ServerState
from bot.storage import Transaction


async def acceptance_of(
    transaction: Transaction,
    catalog: Catalog,
    requests: Sequence[JobRequest],
    at: datetime,
    *,
    max_source_bytes: int,
) -> Acceptance:
    """Return the state in which these requests are to be decided.

    The caller holds the ledger's lock of their servers if it is going to store what was decided.
    """
    asking: dict[int, set[int]] = {}
    for request in requests:
        asking.setdefault(request.guild_id, set()).add(request.user_id)
    servers = await _states(transaction, asking, at)
    for guild_id in asking:
        tapping = {one.user_id for one in requests if one.guild_id == guild_id and one.tapped is not None}
        if tapping:
            known = await transaction.confirmations.tapped_before(guild_id, tapping)
            servers[guild_id].tapped_before = known
    asked = {one.confirmation for one in requests if one.confirmation is not None}
    authors = {one.photo_author for one in requests if one.photo_author not in {None, one.user_id}}
    once = {one.once for one in requests if one.once is not None}
    return Acceptance(
        catalog,
        servers,
        at,
        refusing=await transaction.run(access.refusing_photos, [one for one in authors if one])
        if authors
        else (),
        done=await transaction.run(queries.going_or_done_of, once) if once else (),
        open_questions=await transaction.confirmations.open_of(asked, at) if asked else (),
        max_source_bytes=max_source_bytes,
    )


async def _states(
    transaction: Transaction, asking: Mapping[int, Collection[int]], at: datetime
) -> dict[int, ServerState]:
    """Return the state of each server in which these members ask. One that takes no jobs has no budget."""
    configs = await transaction.run(config.of_servers, asking, at)
    states = {guild_id: ServerState(server) for guild_id, server in configs.items()}
    lanes = {
        guild_id: server.key.lane
        for guild_id, server in configs.items()
        if server.key is not None and not server.settings.paused
    }
    if lanes:
        await transaction.run(_read_credits, states, lanes, asking, at)
    return states


def _read_credits(
    session: Session,
    states: Mapping[int, ServerState],
    lanes: Mapping[int, str],
    asking: Mapping[int, Collection[int]],
    at: datetime,
) -> None:
    """Read what servers with these keys and their members may spend, and what jobs cost."""
    charges, limited = prices.charges_of(session, set(lanes.values())), limits.of_servers(session, lanes)
    servers = [(states[one].config.settings, limited[one], sorted(asking[one])) for one in lanes]
    used = limits.use_of_members(session, servers, at)
    for one, lane in lanes.items():
        state = states[one]
        state.limits, state.charges = limited[one], charges[lane]
        state.budget, state.members = used[one]
