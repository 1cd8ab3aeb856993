"""What a staged picture's link shows to others, or why there is none."""

from dataclasses import replace
from pathlib import Path

from bot.delivery import DiscordDelivery
from bot.domain.posting import PostingRules
from tests.delivery.postings.test_before_and_after import MIB, files, made
from tests.delivery.postings.test_sets import announce, made as made_set, picked
from tests.support.decoders import SharedDecoders
from tests.support.desk import Desk, texts
from tests.support.simulated.delivery import delivery_on


async def labelled(_: int) -> PostingRules:
    return PostingRules(staging_label="Virtually staged")


def delivery(desk: Desk) -> DiscordDelivery:
    decoders = SharedDecoders()
    return delivery_on(desk.bot, desk.bot.catalog, desk.clock, decoders, labelled)


async def test_a_photo_that_was_made_smaller_is_said_to_be(tmp_path: Path) -> None:
    async with made(tmp_path) as (desk, _, job):
        staging = replace(job, tool="virtual-staging")
        await delivery(desk).announce(staging, files(tmp_path, 1 * MIB, 11 * MIB))
        told = texts(await desk.tom.click(desk.channel.history()[-1], label="For a listing"))
        assert "It shows the photo smaller than it was sent (re-encoded)" in told


async def test_a_picture_that_one_alone_sees_has_no_link_for_others(tmp_path: Path) -> None:
    async with made_set(tmp_path, 2, tool="Virtual staging") as (desk, parts):
        desk.delivery = delivery(desk)
        await announce(desk, parts)
        shown = await picked(desk, 2)
        async with desk.storage.write() as transaction:
            await transaction.jobs.update(parts[1].job.id, result_message_id=None)
        told = texts(await desk.maya.click(shown, label="For a listing"))
        assert "Only you can see this picture, so a link to it works for no one else." in told
