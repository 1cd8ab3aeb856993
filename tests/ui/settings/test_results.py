"""`/studii results`: where and how results appear."""

from pathlib import Path

import pytest
import simcord

from bot.credits import limits
from bot.errors import Refused
from bot.features import photo_rules
from bot.features.photo_rules import PhotoChannelKind
from bot.jobs.models import JobState
from bot.languages import Language
from bot.servers import settings
from bot.ui.settings.results import writable
from tests.delivery.finished import finished, output
from tests.support.desk import Desk, pieces, texts
from tests.support.posts import tell_end
from tests.support.presses import app_in
from tests.support.settings import change, control, opened


async def ask(desk: Desk) -> str:
    return texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))


@pytest.mark.promise
async def test_a_channel_for_results_is_set_if_the_bot_can_post_there(desk: Desk) -> None:
    closed = desk.channel_for_the_bot("closed", send_messages=False)
    results = desk.channel_for_the_bot("results")
    await desk.env.settle()
    refused = await change(desk, "results", "results_channel_id", closed)
    assert "❌ I can't post in" in refused
    assert "Send Messages" in refused
    answer = await change(desk, "results", "results_channel_id", results)
    assert f"all posted in <#{results.id}>" in answer
    await ask(desk)
    assert (await desk.job()).post_channel_id == results.id
    for one, said in ((closed.id, "I can't post in the channel for results"), (5, "results was deleted")):
        await desk.resources.db.write(settings.change, desk.guild.id, results_channel_id=one)
        assert said in await ask(desk)
    await change(desk, "results", "results_channel_id", None)
    await ask(desk)
    assert (await desk.job()).post_channel_id is None


async def test_a_month_in_pictures_needs_a_channel_for_the_best(desk: Desk) -> None:
    answer = await change(desk, "results", "best_months")
    assert "**Month in pictures**: changed from off to on" in answer
    assert "Choose a channel under **Best of** first." in answer
    await change(desk, "results", "best_channel_id", desk.channel_for_the_bot("best-of"))
    assert "On the first day of each month" in await change(desk, "results", "best_months")


@pytest.mark.promise
async def test_threads_need_their_permissions_before_anything_is_spent(desk: Desk) -> None:
    answer = await change(desk, "results", "in_threads")
    assert "posted in a thread" in answer
    await ask(desk)
    assert (await desk.job()).in_thread
    without = desk.channel_for_the_bot("no-threads", create_public_threads=False)
    await desk.env.settle()
    refused = texts(await desk.maya.slash(without, "studio", prompt="A red kite"))
    assert "I'm missing **Create Public Threads**" in refused


async def posted(desk: Desk, folder: Path) -> str:
    await tell_end(desk.delivery, await finished(desk), output(folder))
    return texts(desk.channel.history()[-1])


@pytest.mark.promise
async def test_a_result_says_that_ai_made_it_unless_the_server_turns_that_off(
    desk: Desk,
    tmp_path: Path,
) -> None:
    assert "-# ✨ Made with AI" in await posted(desk, tmp_path)
    said = await change(desk, "results", "disclosure", value="Computed, by @everyone")
    assert "Computed, by" in said
    shown = await posted(desk, tmp_path)
    assert ("✨ Computed, by" in shown, "@everyone" in shown) == (True, False)
    assert "**Under each result**: –" in await change(desk, "results", "disclosure", value="")
    assert "✨" not in await posted(desk, tmp_path)


@pytest.mark.promise
async def test_the_words_on_staged_pictures_and_their_place_are_set(desk: Desk) -> None:
    said = await change(desk, "results", "staging_label", value="Virtually staged")
    assert "✅ **On a copy of each staged picture**: set to “Virtually staged”." in said
    said = await change(desk, "results", "staging_corner", "top-right")
    assert "✅ **Corner for these words**: changed from “bottom left” to “top right”." in said
    rules = await desk.resources.db.read(settings.of, desk.guild.id)
    assert (rules.staging_label, rules.staging_corner) == ("Virtually staged", "top-right")


def test_words_that_can_not_be_written_are_refused() -> None:
    for words in (
        "Virtuell möbliert (KI)",
        "Виртуальный стейджинг",
        "Εικονική",
        "バーチャル家具（AI）",
    ):
        assert writable({"value": f" {words}\n"}) == words
    for words in ("虚拟布置", "가상 스테이징", "تأثيث افتراضي", "staged 🛋️"):
        with pytest.raises(Refused, match="Only Latin, Greek"):
            writable({"value": words})


@pytest.mark.promise
async def test_a_chosen_language_is_shown_in_the_setup_and_can_be_automatic_again(desk: Desk) -> None:
    shown = await change(desk, "setup", "language", "fr")
    assert "✅ **Language**: changed from “Automatic” to “Français”." in shown
    assert "**Language**: Français\n" in shown
    assert (await desk.resources.db.read(settings.of, desk.guild.id)).chosen_language is Language.FRENCH
    shown = await change(desk, "setup", "language", "automatic")
    assert "**Language**: English\n" in shown


@pytest.mark.promise
async def test_a_number_is_taken_and_an_error_told_as_the_admins_language_writes_it(desk: Desk) -> None:
    role = desk.guild.create_role("Designers")
    with app_in("de"):
        await change(desk, "credits", "roles", who=[role], credits="1.200")
        shown = await change(desk, "photos", "emoji", emoji="🪄", tool=["photo-restore"], inputs="room=bath")
    assert (await desk.resources.db.read(limits.of_server, desk.guild.id)).roles == {role.id: 1200}
    assert "Fotorestaurierung" in next(line for line in shown.splitlines() if line.startswith("❌"))


@pytest.mark.promise
async def test_members_do_not_see_the_commands(desk: Desk) -> None:
    for command in ("setup", "credits", "photos", "results", "moderation", "budget", "grant"):
        with pytest.raises(simcord.SetupError, match="not visible"):
            await desk.maya.slash(desk.channel, f"studii {command}")


@pytest.mark.promise
async def test_a_pause_refuses_new_jobs_and_leaves_what_is_going(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="before")
    before = await desk.job()
    await change(desk, "setup", "paused")
    told = await desk.maya.slash(desk.channel, "studio", prompt="meanwhile")
    assert "New jobs are paused" in texts(told)
    assert (await desk.job()).id == before.id
    assert (await desk.job()).state is JobState.WAITING
    assert "**Paused.**" in texts(await desk.admin.slash(desk.channel, "studii setup"))
    await change(desk, "setup", "paused")
    await desk.maya.slash(desk.channel, "studio", prompt="after")
    assert (await desk.job()).id != before.id


@pytest.mark.promise
async def test_admins_see_and_set_whether_photos_keep_their_metadata(desk: Desk) -> None:
    said = await change(desk, "photos", "metadata")
    assert "✅ **Remove photo metadata**: changed from on to off." in said
    assert "with everything in the file" in said
    assert (await desk.db.read(settings.of, desk.guild.id)).keeps_metadata
    assert not (await desk.db.read(settings.of, desk.guild.id + 1)).keeps_metadata
    assert "serial numbers" in await change(desk, "photos", "metadata")
    assert not (await desk.db.read(settings.of, desk.guild.id)).keeps_metadata


# `/studii photos`: channels in lists that have no room for all of them


@pytest.mark.promise
@pytest.mark.parametrize("name", ["offers", "reactions"])
async def test_a_channel_is_cleared_where_a_list_has_no_room_for_all(desk: Desk, name: str) -> None:
    guild_id = desk.guild.id
    made = [desk.channel_for_the_bot(f"photos-{number}") for number in range(27)]
    there = [one.id for one in made]
    await desk.env.settle()
    for one in (1, 2, *there):  # the first ones were deleted
        if name == "offers":
            await desk.db.write(photo_rules.set_channel, guild_id, one, PhotoChannelKind.OFFER)
        else:
            await desk.db.write(photo_rules.turn_reactions, guild_id, one, on=True)
    shown = await opened(desk, "photos")
    picks = control(shown, f"studii:pick:photos:{name}")
    (listed,) = (one for one in pieces(shown) if one.get("custom_id") == picks)
    assert [int(one["id"]) for one in listed["default_values"]] == there[:25]
    await change(desk, "photos", name, *made[:24], shown=shown)
    rules = await desk.db.read(photo_rules.of, guild_id)
    held = rules.reaction_places if name == "reactions" else rules.channels.keys()
    assert sorted(held) == [*there[:24], *there[25:]]


@pytest.mark.promise
async def test_emoji_that_stay_under_photos_of_a_channel_that_is_turned_off_are_said(desk: Desk) -> None:
    assert "⚠️" not in await change(desk, "photos", "offers", desk.channel)
    said = await change(desk, "photos", "offers", None)
    assert "⚠️ My emoji stay under earlier photos, but tapping them does nothing unless" in said


async def test_what_a_message_has_no_room_for_is_on_a_further_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ui.panels.settings.MAX_CHARACTERS", 1500)
    shown = await opened(desk, "photos")
    assert "**Portraits**" not in texts(shown)
    said = await change(desk, "photos", "portraits", "anyone", shown=shown)
    assert "✅ **Portraits**: changed from “your own photos only” to “anyone's photos”." in said
    assert "**Reactions in the whole server**" not in said
