"""First contact, languages, the best results, saved styles, word rules and moderators."""

import pytest

from sandbox.demo.people import Guest, text_of, until
from sandbox.demo.place import INES, MEMBERS, PEOPLE, PHOTO_DESK, SHOWROOM, TEAM
from sandbox.discord.emulator.messages import Message
from tests.stories.world import DAY, ROOM, Town, field_of, plain

GERMAN = "de"


@pytest.mark.promise
@pytest.mark.world(key=False)
async def test_a_greeting_leads_through_the_setup_to_a_panel_for_newcomers(here: Town) -> None:
    greeting = await here.said("Set up", channel=PHOTO_DESK)
    assert "Manage Server" in plain(await here.maya.press(greeting, "Set up"))
    for said in (await here.maya.command("studio", prompt="A kite"), await here.maya.command("help")):
        assert "This server has no Studii key yet." in plain(said)
    assert "**Next**: press **Enter key**." in text_of(await here.nora.press(greeting, "Set up"))
    await here.set_key()
    assert "Next: choose a log channel." in plain(await here.nora.command("studii setup")).replace("*", "")
    assert "**Panel**: posted" in text_of(await here.nora.press_in("setup", "setup:panel"))
    await here.restart()
    assert len([one for one in here.discord.in_channel(PHOTO_DESK) if "Studii is here" in plain(one)]) == 1
    ines = guest(here, INES)
    form = await ines.press_for_form(await here.said("Press a button", channel=PHOTO_DESK), "Studio")
    assert "8 credits" in str(form["title"])
    await ines.result_after(await ines.fill_in(form, {"prompt": "A kite"}))


@pytest.mark.promise
async def test_each_is_answered_in_their_language_and_the_channel_in_the_servers(here: Town) -> None:
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
    here: Town,
) -> None:
    await here.nora.change("results", "best_channel_id", str(SHOWROOM))
    await here.nora.change("results", "best_stars", value="1")
    result = await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
    here.maya.tap(result, "⭐")  # her own doesn't count
    here.tom.tap(result, "⭐")
    question = await here.said("starred your result", channel=here.discord.channels.dm_with(here.maya.id).id)
    await here.restart()
    assert not best(here)
    await here.maya.press(question, "Show my results")
    await until(lambda: best(here), "it to be shown")
    (shown,) = best(here)
    assert f"<@{here.maya.id}>" in plain(shown)
    assert "A red kite" not in plain(shown)
    here.tom.tap(result, "⭐")
    await until(lambda: not best(here), "it to go")


@pytest.mark.promise
async def test_a_moderators_star_is_enough_and_those_count_that_came_while_the_bot_was_away(
    here: Town,
) -> None:
    await here.nora.change("results", "best_channel_id", str(SHOWROOM))
    await here.nora.change("results", "best_stars", value="2")
    result = await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
    await until(lambda: any("is posted" in line for line in here.log), "the bot to note where it is")
    await here.kill()
    for who in (here.tom, guest(here, INES)):
        who.tap(result, "⭐")
    await here.start()
    told = here.discord.channels.dm_with(here.maya.id).id
    await here.maya.press(await here.said("starred your result", channel=told), "Show my results")
    await until(lambda: best(here), "it to be shown")
    here.tom.tap(result, "⭐")
    await until(lambda: not best(here), "it to go")
    for moderator in (here.mika, here.nora):  # one manages messages, the other the server
        moderator.tap(result, "⭐")
        await until(lambda: best(here), "it to be shown")
        moderator.tap(result, "⭐")
        await until(lambda: not best(here), "it to go")
    here.nora.tap(result, "⭐")
    await until(lambda: best(here), "it to be shown")
    shown = await here.maya.command("settings")
    await here.acts.press(here.maya.id, shown.id, "studii:put:settings:starred:off", [])
    await until(lambda: not best(here), "it to be taken back")


def guest(here: Town, user_id: int) -> Guest:
    return Guest(here.discord, here.acts, next(one for one in PEOPLE if one.id == user_id))


def best(here: Town) -> list[Message]:
    """Return what is shown among the best."""
    return [one for one in here.discord.in_channel(SHOWROOM) if one.of_the_bot]


@pytest.mark.promise
async def test_a_saved_style_takes_words_and_defaults_fill_in_what_is_left_out(here: Town) -> None:
    def asked() -> dict[str, object]:
        return dict(list(here.studii.jobs.values())[-1].request.inputs)

    made = await here.maya.result_after(
        await here.maya.command("studio", prompt="A kite", aspect_ratio="9:16")
    )
    form = await here.maya.press_for_form(await here.maya.press(made, "More…"), "Save as style")
    await here.maya.fill_in(form, {"name": "Dawn", "prompt": "{text} at dawn"})
    form = await here.nora.press_for_form(await here.nora.command("styles"), "Add a style for this server…")
    await here.nora.fill_in(form, {"name": "Ours", "tool": ["studio"], "prompt": "{text} in oil"})
    form = await here.tom.press_for_form(await here.tom.command("settings"), "Studio")
    await here.tom.fill_in(form, {"aspect_ratio": "1:1"})
    await here.restart()
    await here.maya.result_after(await here.maya.command("studio", prompt="A lamp", style="dawn"))
    assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A lamp at dawn", "9:16")
    assert "no style “dawn”" in plain(await here.tom.command("studio", prompt="A lamp", style="dawn"))
    await here.tom.result_after(await here.tom.command("studio", prompt="A lamp", style="ours"))
    assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A lamp in oil", "1:1")
    again = await here.tom.press(made, "Run again")
    await here.tom.result_after(again)
    assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A kite", "9:16")
    question = await here.maya.press(await here.maya.command("settings"), "Erase my data…")
    await here.maya.press(question, "Erase in every server")
    await until(lambda: "Keep my data" not in plain(question), "the erasure")
    assert "no styles here yet" in plain(await here.maya.command("styles"))
    await here.stop()
    data = b"".join(file.read_bytes() for file in (here.folder / "data").glob("studii.db*"))
    assert b"A lamp at dawn" not in data
    assert b"A lamp in oil" in data


REFUSED = "This server's word filter doesn't allow that."
PAUSED = "because the word filter refused many of your requests"


@pytest.mark.promise
async def test_a_rule_refuses_however_a_word_is_written_and_whoever_keeps_trying_is_paused(
    here: Town,
) -> None:
    await here.nora.command("studii budget", credits=500, period="total")
    before = await here.maya.result_after(await here.maya.command("studio", prompt="A gorilla, and 4k"))
    for rule in ("gorilla", "red kite", "paint*"):
        await here.nora.change("moderation words", "rules", words=rule)
    for prompt in ("A G0R1LLA", "a goriIIa", "gooorilla", "ｇｏｒｉｌｌａ"):
        said = plain(await here.maya.command("studio", prompt=prompt))
        assert REFUSED in said
        assert f"You wrote: “{prompt}”" in said
        assert "Nothing was charged." in plain(await here.said(prompt, "Rule", channel=TEAM))
    assert PAUSED in plain(await here.maya.press(before, "Run again"))
    assert PAUSED in plain(await here.maya.command("help"))
    for prompt in ("go\u200brilla", "A red  kite", "many paintings"):
        assert REFUSED in plain(await here.tom.command("studio", prompt=prompt))
    for prompt in ("Gorillas in a 4k print", "A kite, red"):
        await here.tom.result_after(await here.tom.command("studio", prompt=prompt))
    await here.restart(13 * 3600)
    await here.maya.result_after(await here.maya.command("studio", prompt="A blue kite"))
    await here.nora.change("moderation words", "rules", "gorilla")
    await here.maya.result_after(await here.maya.command("studio", prompt="A gorilla"))
    assert (len(here.studii.jobs), await here.spent()) == (5, 40)
    assert "||" in text_of(await here.said("gooorilla", "Rule", channel=TEAM))


async def asks_moderators(here: Town) -> None:
    await here.nora.change("moderation approvals", "approval_channel", str(TEAM))
    await here.nora.change("moderation approvals", "approval_everyone")


@pytest.mark.promise
async def test_a_request_waits_over_a_kill_and_goes_to_studii_once_it_is_approved(here: Town) -> None:
    await asks_moderators(here)
    start = await here.maya.command("virtual-staging", image=ROOM, style="modern")
    question = await here.said("Approve", channel=TEAM)
    assert await here.spent() == 8
    await here.restart()
    await here.nora.change("moderation approvals", "approval_channel", "")  # for later requests
    assert not here.studii.jobs
    await here.mika.press(question, "Approve")
    result = await here.maya.result_after(start)
    assert len(here.studii.jobs) == 1
    await until(lambda: "See result" in text_of(question), "the decision to link to the result")
    said = text_of(question)
    assert f"Approved by <@{here.mika.id}>" in said
    assert "style **modern**" in said
    assert "12 credits" in said
    assert "\nApprove" not in said
    assert f"/{result.channel_id}/{result.id}" in str(question.told()["components"])
    await here.tom.result_after(await here.tom.command("studio", prompt="A red kite"))


@pytest.mark.promise
async def test_a_request_ends_unpaid_when_it_is_declined_or_forgotten_for_a_day(here: Town) -> None:
    await asks_moderators(here)
    await here.maya.command("studio", prompt="A red kite")
    form = await here.mika.press_for_form(await here.said("A red kite", "Decline", channel=TEAM), "Decline")
    await here.mika.fill_in(form, {field_of(form): "Not in here."})
    assert "Not charged." in plain(await here.said("A red kite", "Not in here."))
    await here.tom.command("studio", prompt="A blue kite")
    await here.said("A blue kite", "Decline", channel=TEAM)
    await here.restart(DAY + 60)
    assert "Not charged." in plain(await here.said(f"<@{here.tom.id}>", "A blue kite", "harged"))
    await until(lambda: here.read("A blue kite", channel=TEAM) is None, "the question to be reduced")
    assert (await here.spent(), len(here.studii.jobs)) == (0, 0)


@pytest.mark.promise
async def test_a_result_that_is_not_approved_costs_its_credits_and_is_kept_for_moderators(
    here: Town,
) -> None:
    await here.nora.command("studii budget", credits=500, period="total")
    await here.nora.change("moderation approvals", "approval_channel", str(TEAM))
    await here.nora.change("moderation approvals", "roles", str(MEMBERS))
    await here.nora.change("moderation approvals", "approval_results")
    await here.maya.command("studio", prompt="A red kite")
    await here.mika.press(await here.said("A red kite", "Approve", channel=TEAM), "Approve")
    await here.said("A red kite", "made this with", "Approve", channel=TEAM)
    await here.restart(DAY + 60)
    assert "Charged 8 credits." in plain(await here.said(f"<@{here.maya.id}>", "result isn't posted"))
    assert not list(here.pictures())
    kept = await here.mika.press(await here.mika.command("jobs"), "Results not posted")
    shown = await here.mika.press(await here.mika.open_job(kept), "See result")
    await here.mika.press(shown, "Post it after all")
    await until(lambda: next(here.pictures(), None), "the result")
    assert await here.spent() == 8
