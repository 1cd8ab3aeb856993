"""Interactions, as a bot has to answer them."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from sandbox.discord.emulator.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from tests.sandbox.discord.emulator.client import Answer, Client, emulated

GUILD, MAYA = 1 << 22, 300
SAY, DEFER, UPDATE, FORM = 4, 5, 7, 9
PRIVATE, V2 = 1 << 6, 1 << 15


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with emulated(guilds=[GUILD], limits=None) as one:
        yield one


def asked(client: Client) -> Interaction:
    return client.server.send(client.server.command(GUILD, MAYA, "studio", {"prompt": "A kite"}))


def words(answer: Answer) -> Any:
    return answer.body["content"]


async def test_the_first_answer_is_a_message_and_there_is_only_one(client: Client) -> None:
    one = asked(client)
    answer = await client.answer(one, SAY, {"content": "here"})
    assert answer.body["resource"]["message"]["content"] == "here"
    assert (await client.answer(one, SAY, {"content": "again"})).code == 40060
    (shown,) = client.server.in_channel(GUILD)
    assert shown.told()["interaction_metadata"]["user"]["id"] == str(MAYA)


async def test_an_answer_that_comes_too_late_is_refused() -> None:
    async with emulated(guilds=[GUILD], first_answer=0) as client:
        assert (await client.answer(asked(client), SAY, {"content": "late"})).code == 10062
        assert not client.server.messages


async def test_a_token_that_is_too_old_or_unknown_is_refused(client: Client) -> None:
    one = asked(client)
    one.told_at -= 901
    assert (await client.webhook("POST", one, body={"content": "late"})).code == 50027


@pytest.mark.parametrize(("deferred", "followup"), [(0, PRIVATE), (PRIVATE, 0)])
async def test_the_first_followup_fills_a_deferral_and_keeps_who_can_see_it(
    client: Client, deferred: int, followup: int
) -> None:
    one = asked(client)
    await client.answer(one, DEFER, {"flags": deferred})
    assert one.said_at is None
    filled = (await client.webhook("POST", one, body={"content": "done", "flags": followup})).body
    assert filled["flags"] & PRIVATE == deferred
    assert one.answer is not None
    assert filled["id"] == str(one.answer.id)
    assert one.said_at is not None
    second = (await client.webhook("POST", one, body={"content": "more", "flags": followup})).body
    assert second["id"] != filled["id"]
    assert second["flags"] & PRIVATE == followup


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        (COMMAND, (1, 6, UPDATE, 8, 99, None, "4")),
        (COMPONENT, (1, 8, 99)),
        (AUTOCOMPLETE, (SAY, DEFER, UPDATE, FORM, 99)),
        (MODAL, (UPDATE, 8, FORM, 99)),  # of a command: there is no message to change
    ],
)
async def test_an_answer_of_a_kind_that_the_interaction_does_not_take_is_refused(
    client: Client, kind: int, refused: tuple[Any, ...]
) -> None:
    message = client.server.post(GUILD, MAYA, "press")
    pressed = message if kind == COMPONENT else None
    one = client.server.send(client.server.begin(GUILD, MAYA, kind, {}, pressed=pressed))
    for answered_as in refused:
        assert (await client.answer(one, answered_as, {"content": "here"})).code == 50035
    assert (one.answered_at, one.answered_as, one.said_at) == (None, None, None)
    assert list(client.server.messages.values()) == [message]
    taken = 8 if kind == AUTOCOMPLETE else DEFER
    assert (await client.answer(one, taken)).status == 200


async def test_after_its_deferral_is_deleted_the_next_followup_can_be_private(client: Client) -> None:
    one = asked(client)
    await client.answer(one, DEFER)
    assert (await client.webhook("DELETE", one, "/messages/@original")).status == 204
    told = (await client.webhook("POST", one, body={"content": "for you", "flags": PRIVATE})).body
    assert told["flags"] & PRIVATE
    assert not client.server.in_channel(GUILD)


async def test_what_one_person_alone_sees_can_be_reached_by_its_token_alone(client: Client) -> None:
    one = asked(client)
    shown = await client.answer(one, SAY, {"content": "for you", "flags": PRIVATE})
    message = shown.body["resource"]["message"]["id"]
    assert (await client.ask("GET", f"/channels/{GUILD}/messages")).body == []
    for method, path in (("PATCH", ""), ("DELETE", ""), ("PUT", "/reactions/x/@me")):
        there = f"/channels/{GUILD}/messages/{message}{path}"
        assert (await client.ask(method, there, {"content": "!"})).code == 10008
    answer = {"content": "it", "message_reference": {"message_id": message}}
    assert (await client.webhook("PATCH", one, "/messages/@original", {"content": "new"})).status == 200
    assert (await client.ask("POST", f"/channels/{GUILD}/messages", answer)).code == 50035
    assert (await client.webhook("DELETE", one, f"/messages/{message}")).status == 204
