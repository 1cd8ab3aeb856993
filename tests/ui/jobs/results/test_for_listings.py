"""What a listing with a staged picture needs."""

from dataclasses import replace
from pathlib import Path

from bot.delivery import DiscordDelivery
from bot.domain.posting import PostingRules
from tests.delivery.postings.test_before_and_after import MIB, files, made
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
        assert "The button opens the photo smaller than it was sent (re-encoded)" in told
