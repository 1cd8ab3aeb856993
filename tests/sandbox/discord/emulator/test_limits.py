"""Rate limits, faults on the way, and an emulator in a process of its own."""

import asyncio
import base64

import discord
import pytest
from discord.http import Route

from sandbox.discord.emulator import TOKEN, Limit, Limits
from sandbox.discord.emulator.remote import emulator_process
from tests.sandbox.discord.emulator.client import emulated
from tests.support.patience import PATIENCE

GUILD, OTHER, MAYA = 1 << 22, 2 << 22, 300
MESSAGES, WORDS = f"/channels/{GUILD}/messages", {"content": "words"}


async def test_a_bucket_is_of_one_channel_and_says_when_there_is_room() -> None:
    limits = Limits({"send": Limit(1, 600.0)})
    async with emulated(guilds=[GUILD, OTHER], limits=limits) as client:
        first = await client.ask("POST", MESSAGES, WORDS)
        assert (first.headers["X-RateLimit-Remaining"], first.headers["X-RateLimit-Limit"]) == ("0", "1")
        refused = await client.ask("POST", MESSAGES, WORDS)
        assert (refused.status, refused.headers["X-RateLimit-Scope"]) == (429, "user")
        assert 0 < refused.body["retry_after"] <= 600
        assert float(refused.headers["Retry-After"]) == refused.body["retry_after"]
        assert (await client.ask("POST", f"/channels/{OTHER}/messages", WORDS)).status == 200
        assert len(client.server.messages) == 2


async def test_all_requests_together_have_a_limit_that_answers_to_interactions_do_not_count_against() -> None:
    limits = Limits({}, all_together=0)
    async with emulated(guilds=[GUILD], limits=limits) as client:
        refused = await client.ask("GET", "/users/@me")
        assert (refused.headers["X-RateLimit-Global"], refused.body["global"]) == ("true", True)
        one = client.server.send(client.server.command(GUILD, MAYA, "studio"))
        assert (await client.answer(one, 4, {"content": "here"})).status == 200


async def test_too_many_refused_requests_ban_the_address_for_a_while() -> None:
    async with emulated(guilds=[GUILD], limits=Limits(refused=2)) as client:
        for _ in range(2):
            await client.ask("GET", "/users/@me", token="wrong")
        banned = await client.ask("GET", "/users/@me")
        assert (banned.status, b"1015" in banned.body) == (429, True)


async def test_one_in_a_process_of_its_own_is_steered_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: asyncio.Queue[discord.Interaction] = asyncio.Queue()

    class Bot(discord.AutoShardedClient):
        async def on_interaction(self, interaction: discord.Interaction) -> None:
            heard.put_nowait(interaction)

    async with emulator_process(
        "--guilds", str(GUILD), "--message-content", "--identify-every", "0"
    ) as world:
        monkeypatch.setattr(Route, "BASE", world.api)
        bot = Bot(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True))
        async with bot:
            running = asyncio.create_task(bot.start(TOKEN))
            async with asyncio.timeout(PATIENCE):
                while not [one for one in await world.do("sessions") if one["events"] >= 2]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                token = await world.do("command", channel_id=GUILD, user_id=MAYA, name="studio")
                interaction = await heard.get()
                await interaction.response.send_message("here")
            told = await world.do("interaction", token=token)
            assert told["said"] > 0
            assert not told["deferred"]
            photo = [base64.b64encode(b"photo").decode(), "image/png"]
            mine = await world.do("post", channel_id=GUILD, user_id=MAYA, files={"room.png": photo})
            await world.do("react", message_id=int(mine), user_id=MAYA, emoji="🎨")
            own, posted = await world.do("messages", channel_id=GUILD)
            assert (own["content"], posted["attachments"][0]["size"]) == ("here", 5)
            assert posted["reactions"][0]["count"] == 1
            await world.do("fail", call="send", status=503)
            with pytest.raises(RuntimeError, match="no such thing"):
                await world.do("dance")
            running.cancel()
            await asyncio.wait({running})
