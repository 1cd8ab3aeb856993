"""Measure the time to the first answer for fifty simultaneous commands."""

import asyncio
from pathlib import Path
from time import perf_counter

from simcord.backend.models import Interaction
from simcord.interactions import base_payload

from bot.servers.keys import Plan
from bot.servers.settings import Period
from sandbox.studii import Options, StudiiServer
from tests.support import spending
from tests.support.stage import Stage, open_stage


async def first_answers(folder: Path, number: int = 50) -> list[float]:
    """Return the seconds to the first answer, in order. The engine works on the accepted jobs meanwhile."""
    async with (
        StudiiServer(Options(instant=True, long_side=64)) as studii,
        open_stage(studii, folder) as stage,
    ):
        key = studii.add_key("team", balance=100_000)
        resources = stage.app.resources
        await resources.keys.set_key(stage.world.guild.id, key.secret, Plan.TEAM)
        await spending.set_budget(resources, stage.world.guild.id, 100_000, Period.DAY)
        records, began = _emit(stage, number)
        answered: dict[int, float] = {}
        async with asyncio.timeout(30):
            while len(answered) < number:
                await asyncio.sleep(0)
                now = perf_counter()
                for record in records:
                    if record.responded:
                        answered.setdefault(record.id, now - began)
        await stage.world.env.settle(timeout=20)
    return sorted(answered.values())


def _emit(stage: Stage, number: int) -> tuple[list[Interaction], float]:
    world, backend = stage.world, stage.world.env.backend
    command = backend.find_command("studio", world.guild.id, type=1)
    if command is None:
        raise RuntimeError("no /studio command is registered")
    option = {"type": 3, "name": "prompt", "value": "A red kite"}
    data = {"id": command["id"], "name": "studio", "type": 1, "options": [option]}
    made: list[tuple[Interaction, dict[str, object]]] = []
    for one in range(number):
        member = world.guild.add_member(world.env.create_user(f"member{one}"))
        made.append(
            base_payload(
                backend,
                type=2,
                channel_id=world.channel.id,
                guild_id=world.guild.id,
                user_id=member.id,
                data=data,
            )
        )
    began = perf_counter()
    for _, payload in made:
        backend.emit("INTERACTION_CREATE", payload)
    return [record for record, _ in made], began
