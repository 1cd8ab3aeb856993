"""Measure the time to the first answer for fifty simultaneous commands."""

import asyncio
from pathlib import Path
from time import perf_counter

from simcord.backend.models import Interaction
from simcord.interactions import base_payload

from bench.machine.work import desk_at_work
from bot.servers.settings import Period
from tests.support import spending
from tests.support.desk import Desk


async def first_answers(folder: Path, number: int = 50) -> list[float]:
    """Return the seconds to the first answer, in order. The engine works on the accepted jobs meanwhile."""
    async with desk_at_work(folder) as desk:
        await spending.set_budget(desk.resources, desk.guild.id, 100_000, Period.DAY)
        records, began = _emit(desk, number)
        answered: dict[int, float] = {}
        async with asyncio.timeout(30):
            while len(answered) < number:
                await asyncio.sleep(0)
                now = perf_counter()
                for record in records:
                    if record.responded:
                        answered.setdefault(record.id, now - began)
        await desk.env.settle(timeout=20)
    return sorted(answered.values())


def _emit(desk: Desk, number: int) -> tuple[list[Interaction], float]:
    backend = desk.env.backend
    command = backend.find_command("studio", desk.guild.id, type=1)
    if command is None:
        raise RuntimeError("no /studio command is registered")
    option = {"type": 3, "name": "prompt", "value": "A red kite"}
    data = {"id": command["id"], "name": "studio", "type": 1, "options": [option]}
    made: list[tuple[Interaction, dict[str, object]]] = []
    for one in range(number):
        member = desk.guild.add_member(desk.env.create_user(f"member{one}"))
        made.append(
            base_payload(
                backend,
                type=2,
                channel_id=desk.channel.id,
                guild_id=desk.guild.id,
                user_id=member.id,
                data=data,
            )
        )
    began = perf_counter()
    for _, payload in made:
        backend.emit("INTERACTION_CREATE", payload)
    return [record for record, _ in made], began
