"""/jobs: one's own list, turned page by page; what waits is cancelled, what failed is run again."""

import pytest
from simcord import InteractionResult

from tests.support.desk import DONE, Desk, answer_of, labelled, labels, make_bot, open_listed, texts


async def listed(desk: Desk) -> InteractionResult:
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert shown.ephemeral
    return shown


@pytest.mark.promise
async def test_the_list_shows_ones_own_jobs_newest_first_and_is_turned_page_by_page(desk: Desk) -> None:
    for number in range(12):
        await desk.maya.slash(desk.channel, "studio", prompt=f"Kite {number}")
        desk.clock.advance(10)
    await desk.tom.slash(desk.channel, "studio", prompt="Not Maya's")
    shown = await listed(desk)
    assert texts(shown).count("in the queue") == 9
    assert "Page 1" in texts(shown)
    assert "Server jobs" not in labels(shown)
    await desk.maya.click(answer_of(shown), custom_id=labelled(shown, "Older"))
    assert texts(shown).count("in the queue") == 3
    assert "**10.**" in texts(shown)
    assert "Page 2" in texts(shown)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources)
    await desk.env.restart_bot(bot)
    await desk.maya.click(answer_of(shown), custom_id=labelled(shown, "Newer"))
    assert "Page 1" in texts(shown)


@pytest.mark.promise
async def test_what_could_not_be_posted_is_posted_where_one_asks_for_it(desk: Desk) -> None:
    closed = desk.channel_for_the_bot("closed")
    await desk.maya.slash(closed, "studio", prompt="A red kite")
    changes = {"output_file": "x.png", "announced_at": desk.clock.now(), "finished_at": desk.clock.now()}
    await desk.move(await desk.job(), *DONE, **changes)
    shown = await listed(desk)
    await open_listed(desk.maya, shown)
    await desk.maya.click(answer_of(shown), custom_id=labelled(shown, "Post here"))
    job = await desk.job()
    assert (job.channel_id, job.posting, job.announced_at) == (desk.channel.id, 1, None)
    await open_listed(desk.maya, shown)
    assert "Post here" not in labels(shown)


@pytest.mark.promise
async def test_nothing_of_an_age_restricted_channel_is_posted_in_another_one(desk: Desk) -> None:
    adults = await desk.age_restricted_channel()
    await desk.maya.slash(adults, "studio", prompt="A red kite")
    changes = {"output_file": "x.png", "announced_at": desk.clock.now(), "finished_at": desk.clock.now()}
    job = await desk.move(await desk.job(), *DONE, **changes)
    shown = await listed(desk)
    await open_listed(desk.maya, shown)
    answer = await desk.maya.click(answer_of(shown), custom_id=labelled(shown, "Post here"))
    assert "age-restricted" in texts(answer)
    await open_listed(desk.maya, shown)
    desk.restrict_by_age(adults, restricted=False)  # what was asked for when it was one stays what it is
    answer = await desk.maya.click(answer_of(shown), custom_id=labelled(shown, "Post here"))
    assert "age-restricted" in texts(answer)
    assert (await desk.job()).channel_id == job.channel_id
