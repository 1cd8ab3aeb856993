"""Sessions, shards and events, as a bot meets them."""

import pytest

from sandbox.discord.emulator import Rules
from tests.sandbox.discord.emulator.client import ALL_INTENTS, emulated, settled

GUILD, OTHER = 1 << 22, 2 << 22  # of shards 1 and 0 of two
AT_ONCE = Rules(identify_every=0)


async def test_each_shard_hears_of_its_own_servers_and_the_first_of_direct_messages() -> None:
    async with (
        emulated(guilds=[GUILD, OTHER], rules=AT_ONCE) as client,
        client.identified((0, 2)) as first,
        client.identified((1, 2)) as second,
    ):
        client.server.post(GUILD, 300, "for the second")
        client.server.post(OTHER, 300, "for the first")
        dm = client.server.channels.dm_with(300)
        client.server.post(dm.id, 300, "in private")
        assert (await second.until("MESSAGE_CREATE"))["channel_id"] == str(GUILD)
        assert (await first.until("MESSAGE_CREATE"))["channel_id"] == str(OTHER)
        assert (await first.until("MESSAGE_CREATE"))["channel_id"] == str(dm.id)


async def test_only_what_the_intents_name_is_told() -> None:
    async with emulated(guilds=[GUILD]) as client, client.identified(intents=1) as socket:
        client.server.post(GUILD, 300, "not heard")
        client.server.hide_guild(GUILD)
        await socket.until("GUILD_DELETE")
        assert not [told for told in socket.seen if told.get("t") == "MESSAGE_CREATE"]


async def test_a_resumed_session_gets_what_it_missed_in_order_with_the_same_numbers() -> None:
    async with emulated(guilds=[GUILD]) as client:
        async with client.identified() as socket:
            session = socket.seen[-1]["d"]["session_id"]
            number = (await socket.receive())["s"]
            await socket.socket.close(code=4000)
        await settled(lambda: not client.server.sessions.all[0].connected)
        for words in ("first", "second"):
            client.server.post(GUILD, 300, words)
        async with client.connected() as socket:
            await socket.resume(session, number)
            await socket.until("RESUMED")
            told = [(one["s"], one["t"]) for one in socket.seen[1:]]
            names = ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
            assert told == list(enumerate(names, number + 1))


async def test_an_identify_too_soon_after_another_of_its_bucket_is_refused() -> None:
    rules = Rules(identify_every=600, max_concurrency=2)
    async with emulated(guilds=[GUILD], rules=rules) as client:
        async with client.identified((0, 4)), client.identified((1, 4)):
            pass
        async with client.connected() as socket:
            await socket.identify((2, 4))
            assert await socket.receive() == {"op": 9, "d": False}


async def test_too_many_identifies_of_a_day_cost_the_token() -> None:
    rules = Rules(identify_every=0, identifies=1)
    async with emulated(guilds=[GUILD], rules=rules) as client:
        async with client.identified():
            pass
        async with client.connected() as socket:
            await socket.identify()
            assert await socket.code() == 4004
        assert (await client.ask("GET", "/users/@me")).status == 401


@pytest.mark.parametrize(
    ("identify", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"shard": (2, 2)}, 4010),
        ({"intents": 1 << 30}, 4013),
        ({"intents": ALL_INTENTS | 1 << 15}, 4014),
    ],
)
async def test_a_wrong_identify_is_answered_with_its_code(identify: dict[str, object], code: int) -> None:
    async with emulated(guilds=[GUILD]) as client, client.connected() as socket:
        await socket.identify(**identify)  # type: ignore[arg-type]
        assert await socket.code() == code


async def test_the_gateway_can_close_be_away_and_ask_to_reconnect() -> None:
    async with emulated(rules=AT_ONCE) as client:
        async with client.identified() as socket:
            await client.server.connections.ask_to_reconnect()
            assert (await socket.receive())["op"] == 7
            await client.server.connections.close(4000)
            assert await socket.code() == 4000
        await client.server.connections.leave()
        with pytest.raises(Exception, match="503"):
            async with client.connected():
                pass
        client.server.connections.return_()
        async with client.identified():
            pass
