"""Jobs that are accepted on a budget, and requests that wait at a gate."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bot.domain.guilds import Period
from bot.errors import CreditsShort
from bot.jobs.models import Job, JobRequest, MemberContext
from sandbox.studii.faults import Effect
from tests.engine.world import CHANNEL, GUILD, USER, EngineWorld
from tests.support import spending

VIDEO = {"mode": "video", "source": "text", "quality": "standard", "prompt": "A red kite"}
ASSUMED, PRICE = 40, 120  # credits: as the catalogue has it, and as Studii charges it here


@dataclass
class Gate:
    """Lets the requests wait, before they take effect, until it is opened."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    inside: int = 0
    most: int = 0

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.opened.wait()
        self.inside -= 1
        return await effect()


async def budget(world: EngineWorld, limit: int, guild_id: int = GUILD) -> None:
    await spending.set_budget(world.services, guild_id, limit, Period.DAY)


async def accept(
    world: EngineWorld,
    most: int,
    *,
    guild_id: int = GUILD,
    user_id: int = USER,
    roles: frozenset[int] = frozenset(),
    inputs: Mapping[str, str] = VIDEO,
) -> list[Job]:
    """As many jobs as are accepted, as members ask for them."""
    service = world.services.acceptance
    context = MemberContext(roles=roles)
    request = JobRequest(guild_id, CHANNEL, user_id, "studio", inputs, context=context)
    jobs: list[Job] = []
    for _ in range(most):
        try:
            jobs += await service.accept_all([request])
        except CreditsShort:
            break
    return jobs


async def left(world: EngineWorld, guild_id: int = GUILD) -> int:
    return (await spending.budget(world.services, guild_id)).left


async def ended(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    return [(await world.announced(job.id)).job for job in jobs]


async def arrived(world: EngineWorld, gate: Gate) -> None:
    async def there() -> bool:
        return gate.inside > 0

    await world.until(there, "a request at the gate")


IMAGE = {**VIDEO, "mode": "image"}
