"""What a listing with a staged picture needs."""

from dataclasses import replace
from pathlib import Path

from bot.delivery import DiscordDelivery
from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs import transitions
from bot.jobs.models import JobState
from tests.delivery.postings.test_before_and_after import MIB, files, made
from tests.support.decoders import SharedDecoders
from tests.support.desk import Desk, press_more, texts
from tests.support.posts import tell_end
from tests.support.simulated.delivery import delivery_on


async def labelled(_: int) -> PostingRules:
    return PostingRules(staging_label="Virtually staged")


def delivery(desk: Desk) -> DiscordDelivery:
    decoders = SharedDecoders()
    return delivery_on(desk.bot, desk.bot.catalog, desk.clock, decoders, labelled)


async def test_a_photo_that_was_made_smaller_is_said_to_be(tmp_path: Path) -> None:
    async with made(tmp_path) as (desk, _, job):
        staging = replace(job, tool="virtual-staging")
        await tell_end(delivery(desk), staging, files(tmp_path, 1 * MIB, 11 * MIB))
        told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
        assert "The button opens the photo smaller than it was sent (re-encoded)" in told


async def test_a_photo_that_is_itself_a_result_is_not_called_unaltered(tmp_path: Path) -> None:
    async with made(tmp_path) as (desk, _, restored):
        await desk.services.db.write(posting.change, desk.guild.id, staging_label="Virtually staged")
        await tell_end(delivery(desk), restored, files(tmp_path, 1 * MIB, 1 * MIB))
        message = desk.channel.history()[-1]
        await desk.db.write(transitions.change, restored.id, result_message_id=message.id)
        offered = await press_more(desk.tom, message, "Use in…")
        assert offered.response is not None
        form = await desk.tom.select(offered.response, ["virtual-staging"])
        await desk.tom.submit_modal(form, {})
        done = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        kept = {"output_kind": "image", "output_url": restored.output_url, "finished_at": desk.clock.now()}
        staged = await desk.move(await desk.job(), *done, **kept)
        await tell_end(delivery(desk), staged, files(tmp_path, 1 * MIB, 1 * MIB))
        told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
        assert "The photo before is itself a result" in told
        assert "[your link]" not in told
