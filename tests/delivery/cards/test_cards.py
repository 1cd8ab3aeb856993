"""Cards that follow their jobs: by the interaction's token first, as ordinary messages later."""

from pathlib import Path

import discord
import pytest

from bot.delivery.cards.card_poster import EDIT_AGAIN_SECONDS
from bot.delivery.interaction_tokens import CardTokens
from bot.jobs import queries, transitions
from bot.jobs.models import Job, JobState, Progress
from tests.support.clock import FakeClock
from tests.support.desk import Desk, make_bot, open_desk, texts
from tests.support.jobs import a_job


async def waiting(desk: Desk) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    desk.clock.advance(60)
    return await desk.move(await desk.job(), JobState.WAITING)


async def asked(desk: Desk, count: int) -> list[Job]:
    await desk.set_key()
    for number in range(count):
        await desk.maya.slash(desk.channel, "studio", prompt=f"Kite {number}")
    async with desk.storage.read() as transaction:
        return await transaction.run(queries.in_states, [JobState.WAITING])


def edits(desk: Desk) -> list[str]:
    return [call.path for call in desk.env.http_requests if call.method == "PATCH"]


def card(desk: Desk) -> str:
    return texts(desk.channel.history()[0])


async def test_a_card_is_edited_by_its_interactions_token(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        assert await desk.delivery.show_card(job, Progress(position=2)) is None
        assert "Number 2 in the queue…" in card(desk)
        assert [path.split("/")[1] for path in edits(desk)] == ["webhooks"]


async def test_after_a_quarter_of_an_hour_it_is_edited_as_an_ordinary_message(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        desk.clock.advance(15 * 60)
        assert await desk.delivery.show_card(job, Progress(position=2)) is None
        assert "Number 2 in the queue…" in card(desk)
        assert [path.split("/")[1] for path in edits(desk)] == ["channels"]


async def test_a_token_that_discord_takes_no_more_is_not_tried_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        await desk.env.advance_time(16 * 60)  # Discord's clock alone: ours thinks that the token lives
        assert await desk.delivery.show_card(job, Progress(position=2)) is None
        desk.clock.advance(6)
        assert await desk.delivery.show_card(job, Progress(position=1)) is None
        assert "Next in the queue…" in card(desk)
        assert [path.split("/")[1] for path in edits(desk)] == ["webhooks", "channels", "channels"]


async def test_after_a_restart_cards_go_on(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        bot, delivery = make_bot(desk.bot.catalog, desk.clock, desk.services)
        await desk.env.restart_bot(bot)
        assert await delivery.show_card(job, Progress(position=2)) is None
        assert "Number 2 in the queue…" in card(desk)


async def test_a_card_is_edited_at_most_once_in_five_seconds(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        assert await desk.delivery.show_card(job, Progress(position=3)) is None
        desk.clock.advance(4.9)
        assert await desk.delivery.show_card(job, Progress(position=2)) == pytest.approx(0.1)
        desk.clock.advance(0.1)
        assert await desk.delivery.show_card(job, Progress(position=2)) is None
        assert len(edits(desk)) == 2


async def test_answers_of_commands_do_not_wait_for_one_another(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert [await desk.delivery.show_card(job, Progress()) for job in await asked(desk, 6)] == [None] * 6


async def test_a_channels_messages_are_edited_four_times_in_five_seconds_and_ends_come_first(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        jobs = await asked(desk, 6)
        desk.clock.advance(15 * 60)  # no token lives
        assert [await desk.delivery.show_card(job, Progress()) for job in jobs[:3]] == [None, None, 5.0]
        ended = [await desk.move(job, JobState.CANCELLED) for job in jobs[:3]]
        # A card that was edited just now shows its job's end all the same.
        assert [await desk.delivery.show_card(job, Progress()) for job in ended] == [None, None, 5.0]
        assert len(edits(desk)) == 4
        desk.clock.advance(5.1)
        assert await desk.delivery.show_card(ended[2], Progress()) is None
        assert await desk.delivery.show_card(jobs[3], Progress()) is None


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (403, 50001)])
async def test_a_card_that_is_gone_or_out_of_reach_is_given_up(
    tmp_path: Path, status: int, code: int
) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        for path in ("/webhooks/*/*/messages/*", "/channels/*/messages/*"):
            desk.env.inject_error("PATCH", path, status=status, code=code, times=1)
        assert await desk.delivery.show_card(job, Progress()) is None


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_when_discord_is_busy_the_card_is_tried_again_later(tmp_path: Path, status: int) -> None:
    async with open_desk(tmp_path) as desk:
        job = await waiting(desk)
        desk.env.inject_error("PATCH", "/webhooks/*/*/messages/*", status=status, times=1)
        assert await desk.delivery.show_card(job, Progress(position=2)) == EDIT_AGAIN_SECONDS
        desk.clock.advance(6)
        assert await desk.delivery.show_card(job, Progress(position=2)) is None
        assert "Number 2 in the queue…" in card(desk)


async def test_a_job_without_a_card_has_nothing_to_show(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await waiting(desk)
        async with desk.storage.write() as transaction:
            job = await transaction.run(transitions.change, (await desk.job()).id, card_message_id=None)
        assert job is not None
        assert await desk.delivery.show_card(job, Progress()) is None
        assert not edits(desk)


async def test_tokens_are_kept_in_bounded_number_and_no_longer_than_they_live(tmp_path: Path) -> None:
    taken: list[discord.Interaction] = []
    async with open_desk(tmp_path) as desk:

        @desk.bot.listen()
        async def on_interaction(interaction: discord.Interaction) -> None:
            taken.append(interaction)

        assert on_interaction
        await desk.maya.slash(desk.channel, "credits")
        clock = FakeClock()
        tokens = CardTokens(clock, bound=2)
        first, second, third = a_job(id="1"), a_job(id="2"), a_job(id="3")
        for job in (first, second, third):
            tokens.remember(job.id, taken[0])
        assert tokens.get(first) is None
        assert tokens.get(third) is not None
        clock.advance(15 * 60)
        assert tokens.get(third) is None


async def test_an_unknown_outcome_is_shown_at_once_like_any_end(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await desk.move(await waiting(desk), JobState.SUBMITTING)
        assert await desk.delivery.show_card(job, Progress()) is None
        job = await desk.move(job, JobState.UNKNOWN)
        assert await desk.delivery.show_card(job, Progress()) is None
        assert "Sending it to Studii" not in card(desk)
