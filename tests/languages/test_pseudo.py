"""Tests of the bot notice what translations would break: by a language of accents that they turn back."""

import pytest

from bot.ui.kit.text import shortened
from tests.sandbox.discord.emulator.client import Client, emulated
from tests.support.pseudo.boundary import faults_of, faults_of_commands
from tests.support.pseudo.letters import read, written
from tests.support.pseudo.process import listening


def text(content: str) -> dict[str, object]:
    return {"type": 10, "content": content}


@pytest.mark.parametrize(
    "sentence",
    [
        "Nothing was charged.",
        "Use `/studii key`, <@5>, or https://studii.tech: {credits} left.",
        "ZigZag",
    ],
)
def test_a_sentence_is_longer_and_in_other_letters_and_is_read_back(sentence: str) -> None:
    said = written(sentence)
    assert len(said) >= len(sentence) * 4 / 3
    assert read(said) == sentence
    assert not list(faults_of(text(said)))


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (text("Nothing was charged."), "'Nothing was charged' in plain English"),
        (
            text(f"### {written('Budget')}\nAsk an admin. Nothing was charged."),
            "in plain English",
        ),
        ({"type": 2, "label": "Delete"}, "a label with 'Delete' in plain English"),
        (text("A\\` kite. Nothing was charged. `/studii key`"), "'Nothing was charged' in plain English"),
        (text("||**Nothing** was charged|| by \\<@\u200b&5>"), "'Nothing was charged' in plain English"),
        (text("\\<Nothing was charged. `a>b`"), "'Nothing was charged' in plain English"),
        (text(shortened(written("Nothing was charged. Try again in a few minutes."), 40)), "that is cut"),
        ({"type": 2, "label": written("g" * 70)}, "a label of 96 characters, of which Discord takes 80"),
        (
            {"type": 18, "label": "", "component": {"type": 4, "placeholder": "p" * 101}},
            "placeholder of 101",
        ),
        ({"type": 3, "options": [{"label": "o" * 101, "value": "a"}]}, "a label of 101"),
        ({"title": "t" * 46, "components": []}, "a title of 46"),
        ({"type": 8, "data": {"choices": [{"name": "n" * 101, "value": "1"}]}}, "a name of 101"),
        ([text("a" * 2500), text("b" * 2500)], "texts of 5000 characters together"),
    ],
)
def test_what_is_plain_cut_or_too_long_is_found(sent: object, fault: str) -> None:
    assert any(fault in one for one in faults_of(sent)), list(faults_of(sent))


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ({"name": "n" * 32, "type": 3}, ""),
        ({"name": "n", "type": 3, "name_localizations": {"de": "n" * 33}}, "the name of n in de has 33"),
        ({"name": "n", "description": "d" * 101}, "the description of n in English has 101"),
        (
            {"name": "n", "options": [{"name": "o", "description_localizations": {"fr": "d" * 101}}]},
            "the description of n o in fr has 101",
        ),
        ({"name": "n", "choices": [{"name": "c" * 100, "value": "v" * 100}]}, ""),
        ({"name": "n", "choices": [{"name": "c" * 101, "value": "v"}]}, "has 101"),
    ],
)
def test_texts_of_commands_that_are_too_long_in_any_language_are_found(command: object, fault: str) -> None:
    found = list(faults_of_commands([command]))
    assert any(fault in one for one in found) if fault else not found, found


GUILD = 1 << 22


async def heard(client: Client, *contents: str) -> list[str]:
    """Send these as a process of the bot does. Return what the channel shows."""
    with listening(client.server):
        for content in contents:
            await client.ask("POST", f"/channels/{GUILD}/messages", {"content": content})
    return [one.payload["content"] for one in client.server.in_channel(GUILD)]


async def test_what_processes_send_is_looked_at_and_handed_on_in_english() -> None:
    async with emulated(guilds=[GUILD], limits=None) as client:
        # What the bot has read in Discord may be sent again.
        assert await heard(client, written("Nothing was charged."), "Nothing was charged.") == [
            "Nothing was charged.",
            "Nothing was charged.",
        ]
        with pytest.raises(AssertionError, match="'Nothing was erased' in plain English"):
            await heard(client, "Nothing was erased.")
