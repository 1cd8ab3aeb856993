"""Sessions, shards and events, as a bot meets them."""

import pytest

from sandbox.discord.emulator import DiscordServer, Rules
from sandbox.discord.emulator.places import APPLICATION_ID
from tests.sandbox.discord.emulator.client import ALL_INTENTS, emulated, settled

GUILD, OTHER = 1 << 22, 2 << 22  # of shards 1 and 0 of two
AT_ONCE = Rules(identify_every=0)


async def test_a_session_learns_of_its_servers_as_unavailable_and_then_of_each() -> None:
    async with emulated(guilds=[GUILD, OTHER]) as client:
        client.server.places.guilds[OTHER].unavailable = True
        async with client.connected() as socket:
            await socket.identify()
            ready = await socket.until("READY")
            assert [guild["unavailable"] for guild in ready["guilds"]] == [True, True]
            assert (await socket.until("GUILD_CREATE"))["id"] == str(GUILD)
            client.server.show_guild(OTHER)
            assert (await socket.until("GUILD_CREATE"))["id"] == str(OTHER)


async def test_a_server_hides_comes_back_and_removes_the_bot() -> None:
    async with emulated(guilds=[GUILD]) as client, client.identified() as socket:
        client.server.hide_guild(GUILD)
        assert (await socket.until("GUILD_DELETE"))["unavailable"]
        client.server.show_guild(GUILD)
        assert (await socket.until("GUILD_CREATE"))["id"] == str(GUILD)
        client.server.remove_guild(GUILD)
        assert "unavailable" not in await socket.until("GUILD_DELETE")


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


@pytest.mark.parametrize("intent", [True, False])
async def test_a_reply_comes_with_the_message_above_as_far_as_it_may_be_seen(*, intent: bool) -> None:
    async with (
        emulated(guilds=[GUILD], rules=AT_ONCE, message_content=intent) as client,
        client.identified() as socket,
    ):
        photo = client.server.post(GUILD, 301, "The kitchen", {"room.png": (b"photo", "image/png")})
        await socket.until("MESSAGE_CREATE")
        client.server.post(GUILD, 300, f"<@{APPLICATION_ID}>", reply_to=photo.id)
        told = await socket.until("MESSAGE_CREATE")
        assert told["content"]
        above = told["referenced_message"]
        assert (above["id"], above["author"]["id"]) == (str(photo.id), "301")
        assert bool(above["content"]) is bool(above["attachments"]) is intent
        client.server.delete(photo)
        client.server.post(GUILD, 300, "Where is it?", reply_to=photo.id)
        assert (await socket.until("MESSAGE_CREATE"))["referenced_message"] is None


async def test_two_sessions_of_one_shard_both_hear_everything() -> None:
    async with (
        emulated(guilds=[GUILD], rules=AT_ONCE) as client,
        client.identified() as first,
        client.identified() as second,
    ):
        interaction, told = client.server.command(GUILD, 300, "studio")
        client.server.send((interaction, told))
        for socket in (first, second):
            assert (await socket.until("INTERACTION_CREATE"))["id"] == str(interaction.id)


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


async def test_events_can_come_twice_after_a_resume() -> None:
    async with emulated(guilds=[GUILD], rules=Rules(twice=1)) as client:
        async with client.identified() as socket:
            session = socket.seen[-1]["d"]["session_id"]
            again = await socket.receive()
            await socket.socket.close(code=4000)
        async with client.connected() as socket:
            await socket.resume(session, again["s"])
            assert await socket.receive() == again


@pytest.mark.parametrize("code", [1000, 4000])
async def test_a_session_that_was_given_up_or_forgotten_begins_anew(code: int) -> None:
    async with emulated(guilds=[GUILD]) as client:
        async with client.identified() as socket:
            session = socket.seen[-1]["d"]["session_id"]
            await socket.socket.close(code=code)
        await settled(lambda: not any(one.connected for one in client.server.sessions.all))
        if code == 4000:
            client.server.sessions.forget()
        async with client.connected() as socket:
            await socket.resume(session, 1)
            assert await socket.receive() == {"op": 9, "d": False}


async def test_a_session_that_is_away_for_too_long_can_not_be_resumed() -> None:
    async with emulated(guilds=[GUILD], rules=Rules(resume_for=0)) as client:
        async with client.identified() as socket:
            session = socket.seen[-1]["d"]["session_id"]
            await socket.socket.close(code=4000)
        await settled(lambda: not client.server.sessions.all[0].connected)
        async with client.connected() as socket:
            await socket.resume(session, 1)
            assert (await socket.receive())["op"] == 9


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


async def test_a_shard_of_too_many_servers_has_to_be_divided() -> None:
    rules = Rules(most_guilds=1)
    async with emulated(guilds=[GUILD, OTHER], rules=rules) as client, client.connected() as socket:
        await socket.identify()
        assert await socket.code() == 4011


async def test_heartbeats_are_acknowledged_until_they_are_not() -> None:
    async with emulated() as client, client.connected() as socket:
        await socket.socket.send_json({"op": 1, "d": None})
        assert await socket.receive() == {"op": 11}
        client.server.sessions.rules.acknowledges = False
        await socket.socket.send_json({"op": 1, "d": None})
        await socket.identify()
        assert (await socket.receive())["t"] == "READY"


async def test_who_sends_no_heartbeat_is_dropped() -> None:
    async with emulated(rules=Rules(heartbeat=0.02)) as client, client.connected() as socket:
        assert await socket.code() == 4009


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


async def test_the_recommended_shards_and_what_is_left_of_the_day_are_told() -> None:
    async with emulated(rules=Rules(shards=3, max_concurrency=2)) as client:
        async with client.identified():
            pass
        told = (await client.ask("GET", "/gateway/bot")).body
        assert (told["shards"], told["session_start_limit"]["remaining"]) == (3, 999)
        assert told["session_start_limit"]["max_concurrency"] == 2


async def test_an_event_that_nobody_hears_is_lost() -> None:
    async with DiscordServer(guilds=[GUILD]) as server:
        assert server.sessions.tell("INTERACTION_CREATE", GUILD, {}) == 0
