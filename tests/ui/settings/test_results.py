"""`/studii results`: where and how results appear."""

import pytest
from sqlalchemy import text

from bot.features import posting
from bot.features.posting import PostingRules
from tests.support.desk import Desk, texts
from tests.support.settings import change


async def ask(desk: Desk) -> str:
    await desk.set_key()
    return texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))


async def test_what_a_server_set_before_a_rule_existed_leaves_that_one_as_usual(desk: Desk) -> None:
    older = text("INSERT INTO posting_rules (guild_id, splits) VALUES (:guild, true)")
    await desk.services.db.write(lambda session: session.execute(older, {"guild": desk.guild.id}))
    rules = await desk.services.db.read(posting.of, desk.guild.id)
    assert rules == PostingRules(desk.guild.id, splits=True)
    changed = await desk.services.db.write(posting.change, desk.guild.id, best_stars=5)
    assert changed == PostingRules(desk.guild.id, splits=True, best_stars=5)


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
    await change(desk, "results", "results_channel_id", None)
    await ask(desk)
    assert (await desk.job()).post_channel_id is None


async def test_a_job_whose_result_could_not_be_posted_there_is_refused(desk: Desk) -> None:
    closed = desk.channel_for_the_bot("closed", send_messages=False)
    await desk.env.settle()
    await desk.services.db.write(posting.change, desk.guild.id, results_channel_id=closed.id)
    assert "I can't post in the channel for results" in await ask(desk)
    await desk.services.db.write(posting.change, desk.guild.id, results_channel_id=12345)
    assert "The channel for results was deleted" in await ask(desk)


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


@pytest.mark.promise
async def test_one_place_is_chosen_at_a_time(desk: Desk) -> None:
    await change(desk, "results", "results_channel_id", desk.channel)
    answer = await change(desk, "results", "in_threads")
    there = f"<#{desk.channel.id}>"
    assert f"✅ **Results**: changed from {there} to the channel where the command was used." in answer
    assert "✅ **Threads**: changed from off to on." in answer
    rules = await desk.services.db.read(posting.of, desk.guild.id)
    assert (rules.results_channel_id, rules.in_threads) == (None, True)
    await change(desk, "results", "results_channel_id", desk.channel)
    rules = await desk.services.db.read(posting.of, desk.guild.id)
    assert (rules.results_channel_id, rules.in_threads) == (desk.channel.id, False)
