"""A card in whose place a posting is goes away, whatever Discord does."""

from pathlib import Path

import pytest

from bot.delivery.cards.edit_rate import CHANNEL_REMOVALS
from bot.delivery.errors import RETRY_SECONDS
from bot.jobs.models import Job
from tests.delivery.finished import finished
from tests.support.desk import Desk, open_desk, texts

BY_TOKEN, IN_CHANNEL = "/webhooks/*/*/messages/*", "/channels/*/messages/*"


async def posted(desk: Desk) -> Job:
    return await finished(desk, result_message_id=4000, announced_at=desk.clock.now())


def removals(desk: Desk) -> list[str]:
    return [call.path.split("/")[1] for call in desk.env.http_requests if call.method == "DELETE"]


async def test_a_card_is_removed_by_its_interactions_token(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        assert await desk.delivery.remove_card(job) is None
        assert not desk.channel.history()
        assert removals(desk) == ["webhooks"]


async def test_after_a_quarter_of_an_hour_it_is_removed_as_an_ordinary_message(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.clock.advance(15 * 60)
        assert await desk.delivery.remove_card(job) is None
        assert not desk.channel.history()
        assert removals(desk) == ["channels"]


async def test_a_token_that_discord_takes_no_more_does_not_keep_the_card(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        await desk.env.advance_time(16 * 60)  # Discord's clock alone: ours thinks that the token lives
        assert await desk.delivery.remove_card(job) is None
        assert not desk.channel.history()


async def test_a_card_that_a_moderator_removed_is_gone_with_one_request(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        await desk.channel.history()[0].delete()
        before = len(removals(desk))
        assert await desk.delivery.remove_card(job) is None
        assert len(removals(desk)) == before + 1
        assert not [call for call in desk.env.http_requests if call.method == "PATCH"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_when_discord_is_busy_the_card_is_removed_later(tmp_path: Path, status: int) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.env.inject_error("DELETE", BY_TOKEN, status=status, times=1)
        again = await desk.delivery.remove_card(job)
        assert again is not None
        assert again > 0
        assert desk.channel.history()
        assert await desk.delivery.remove_card(job) is None
        assert not desk.channel.history()


async def test_a_card_that_can_not_be_removed_is_one_line_that_links_the_result(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.clock.advance(15 * 60)
        desk.env.inject_error("DELETE", IN_CHANNEL, status=403, code=50013, times=1)
        assert await desk.delivery.remove_card(job) is None
        (card,) = desk.channel.history()
        link = f"https://discord.com/channels/{desk.guild.id}/{desk.channel.id}/4000"
        assert texts(card) == f"-# 🎨 Studio for <@{desk.maya.id}> · [see the result]({link})"


async def test_a_card_that_is_out_of_reach_is_given_up(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.clock.advance(15 * 60)
        for method in ("DELETE", "PATCH"):
            desk.env.inject_error(method, IN_CHANNEL, status=403, code=50001, times=1)
        assert await desk.delivery.remove_card(job) is None


async def test_a_channels_cards_are_removed_as_fast_as_results_are_posted(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.clock.advance(15 * 60)
        outcomes = [await desk.delivery.remove_card(job) for _ in range(CHANNEL_REMOVALS + 1)]
        assert outcomes == [None] * CHANNEL_REMOVALS + [1.0]
        desk.clock.advance(5.1)
        assert await desk.delivery.remove_card(job) is None


async def test_a_card_that_discord_is_too_busy_to_reduce_is_reduced_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await posted(desk)
        desk.clock.advance(15 * 60)
        desk.env.inject_error("DELETE", IN_CHANNEL, status=403, code=50013, times=2)
        desk.env.inject_error("PATCH", IN_CHANNEL, status=503, times=1)
        assert await desk.delivery.remove_card(job) == RETRY_SECONDS
        assert await desk.delivery.remove_card(job) is None
        (card,) = desk.channel.history()
        assert "see the result" in texts(card)
