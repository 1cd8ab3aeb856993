"""A server that has just added the bot, people of two languages, and the best results."""

from pathlib import Path

import pytest

from sandbox.demo.people import Guest, text_of, until
from sandbox.demo.place import INES, PEOPLE, PHOTO_DESK, SHOWROOM
from sandbox.discord.emulator.messages import Message
from tests.stories.world import DAY, Town, plain, town

GERMAN = "de"


@pytest.mark.promise
async def test_a_greeting_leads_through_the_setup_to_a_panel_for_newcomers(tmp_path: Path) -> None:
    async with town(tmp_path, key=False) as here:
        greeting = await here.said("Set up", channel=PHOTO_DESK)
        assert "Manage Server" in plain(await here.maya.press(greeting, "Set up"))
        for said in (await here.maya.command("studio", prompt="A kite"), await here.maya.command("help")):
            assert "This server has no Studii key yet." in plain(said)
        assert "**Next**: press **Enter key**." in text_of(await here.nora.press(greeting, "Set up"))
        await here.set_key()
        assert "Next: choose a log channel." in plain(await here.nora.command("studii setup")).replace(
            "*", ""
        )
        await here.nora.press_in("setup", "setup:panel")
        await here.restart()
        assert (
            len([one for one in here.discord.in_channel(PHOTO_DESK) if "Studii is here" in plain(one)]) == 1
        )
        ines = Guest(here.discord, here.acts, next(one for one in PEOPLE if one.id == INES))
        form = await ines.press_for_form(await here.said("Press a button", channel=PHOTO_DESK), "Studio")
        assert "8 credits" in str(form["title"])
        await ines.result_after(await ines.fill_in(form, {"prompt": "A kite"}))


@pytest.mark.promise
async def test_each_is_answered_in_their_language_and_the_channel_in_the_servers(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        asked = await here.acts.command(
            here.maya.id, PHOTO_DESK, ["studio"], {"prompt": "Ein Drachen"}, locale=GERMAN
        )
        await here.maya.result_after(here.discord.messages[int(asked["message"])])
        assert "your picture is ready" in text_of(await here.said("Ein Drachen", "ready"))
        await here.acts.command(here.maya.id, PHOTO_DESK, ["credits"], {}, locale=GERMAN)
        await here.said("492 von 500 Credits")
        told = here.discord.channels.dm_with(here.maya.id).id
        await here.nora.change(
            "moderation blocked", "blocked", member=[str(here.maya.id)], reason="Too many kites."
        )
        assert "Der Grund: " in plain(await here.said("Too many kites.", channel=told))
        await here.restart(366 * DAY)  # for a year, her language is kept
        await here.nora.change("moderation blocked", "blocked", str(here.maya.id))
        await here.nora.change("moderation blocked", "blocked", member=[str(here.maya.id)], reason="Again.")
        assert "The reason: " in plain(await here.said("Again.", channel=told))


@pytest.mark.promise
async def test_a_starred_result_is_shown_with_its_makers_consent_and_goes_with_its_stars(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.nora.change("results", "best_channel_id", str(SHOWROOM))
        await here.nora.change("results", "best_stars", value="1")
        result = await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
        here.maya.tap(result, "⭐")  # her own doesn't count
        here.tom.tap(result, "⭐")
        question = await here.said(
            "starred your result", channel=here.discord.channels.dm_with(here.maya.id).id
        )
        await here.restart()
        assert not best(here)
        await here.maya.press(question, "Show my results")
        await until(lambda: best(here), "it to be shown")
        (shown,) = best(here)
        assert f"<@{here.maya.id}>" in plain(shown)
        assert "A red kite" not in plain(shown)
        here.tom.tap(result, "⭐")
        await until(lambda: not best(here), "it to go")


def best(here: Town) -> list[Message]:
    """Return what is shown among the best."""
    return [one for one in here.discord.in_channel(SHOWROOM) if one.of_the_bot]
