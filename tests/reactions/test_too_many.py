"""Taps and photos beyond what the bot keeps waiting are skipped, and their people are told."""

from pathlib import Path

import pytest
from simcord import MemberActor

from bot.jobs.confirm import AUTO_SKIPPED, TAP_SKIPPED
from bot.languages import Message
from bot.reactions import photo_watch
from bot.reactions.photo_jobs import OFFER_SKIPPED
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.reactions.test_photo_channels import automatic, offering, under
from tests.support.desk import open_desk, texts


def dms(who: MemberActor) -> list[str]:
    return [texts(one) for one in who.user.dm_channel.history()]


@pytest.mark.promise
async def test_who_taps_when_too_many_wait_is_told_to_tap_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_watch, "WAITING", 0)
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        for _ in range(2):
            await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []
        (told,) = dms(desk.tom)
        assert str(TAP_SKIPPED) in told
        assert f"-# Server: {desk.guild.name}" in told


@pytest.mark.promise
@pytest.mark.parametrize(
    ("way", "bound", "words"),
    [("auto", "WAITING", AUTO_SKIPPED), ("offer", "OFFERS_WAITING", OFFER_SKIPPED)],
)
async def test_who_posts_when_too_many_photos_wait_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, bound: str, words: Message
) -> None:
    monkeypatch.setattr(photo_watch, bound, 0)
    async with open_desk(tmp_path) as desk:
        await (automatic(desk) if way == "auto" else offering(desk))
        for _ in range(3):
            message = await post(desk, desk.maya, ROOM)
            assert under(message) == []
        assert await jobs_of(desk) == []
        (told,) = dms(desk.maya)
        assert str(words) in told
