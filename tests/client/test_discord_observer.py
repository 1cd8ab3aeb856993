"""What passes between the bot and Discord is counted, also what nobody answers."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from discord.http import Route

from bot.client.discord_observer import UNANSWERED_AFTER, DiscordObserver
from bot.monitoring import Metrics
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.emulator.faults import Fault
from tests.support.clock import FakeClock

NOT_WAITED_FOR = Fault(404, refusal=(404, 10062, "Unknown interaction"))


class Observed:
    """An observer, and the figures that it makes."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.registry = self.metrics.registry
        self.clock = FakeClock()
        self.observer = DiscordObserver(self.metrics, self.clock)

    async def hear(self, interaction_id: int) -> None:
        kind = discord.InteractionType.component
        told: Any = SimpleNamespace(id=interaction_id, type=kind)
        await self.observer.heard(told)

    def outcomes(self) -> dict[str, float]:
        (family,) = [one for one in self.registry.collect() if one.name == "studii_interactions"]
        return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(None, "answered"), (NOT_WAITED_FOR, "too_late"), (Fault(502), "failed"), (Fault(None), "failed")],
)
async def test_the_first_answer_is_counted_by_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, fault: Fault | None, outcome: str
) -> None:
    seen = Observed()
    async with DiscordServer(guilds=[100]) as server:
        monkeypatch.setattr(Route, "BASE", server.api)
        if fault is not None:
            server.fail("callback", fault)
        interaction, _ = server.command(100, 200, "help")
        await seen.hear(interaction.id)
        seen.clock.advance(1.5)
        async with aiohttp.ClientSession(trace_configs=[seen.observer.trace()]) as session:
            url = f"{server.api}/interactions/{interaction.id}/{interaction.token}/callback"
            for _ in range(2):  # the second is no first answer
                try:
                    async with session.post(url, json={"type": 5}):
                        pass
                except aiohttp.ClientError:
                    pass
            headers = {"Authorization": f"Bot {TOKEN}"}
            async with session.get(f"{server.api}/users/@me", headers=headers):
                pass
            async with session.get(f"{server.cdn_address}/nothing"):
                pass  # not a request to the API
    assert seen.outcomes() == {outcome: 1.0}
    seconds = 1.5 if outcome == "answered" else 0.0
    assert seen.figure("studii_first_answer_seconds_sum") == seconds
    counted = [one for family in seen.registry.collect() for one in family.samples]
    requests = sum(one.value for one in counted if one.name == "studii_discord_requests_total")
    assert requests == 3.0


async def test_what_nobody_answers_is_counted_once_discord_has_long_given_up() -> None:
    seen = Observed()
    await seen.hear(1)
    seen.clock.advance(UNANSWERED_AFTER - 1)
    await seen.hear(2)
    assert seen.outcomes() == {}
    seen.clock.advance(2)
    await seen.hear(3)
    assert seen.outcomes() == {"unanswered": 1.0}
