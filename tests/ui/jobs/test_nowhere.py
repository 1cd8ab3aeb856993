"""A press that comes from no channel, as Discord allows, or after a photo was erased, starts nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult
from simcord.backend import serializers
from simcord.interactions import base_payload

from bot.jobs.models import FailureCode, JobState
from bot.servers import privacy
from bot.ui.kit.buttons import custom_id_of
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, open_desk, texts
from tests.support.presses import BUTTON, press


async def pressed_nowhere(desk: Desk, custom_id: str) -> str:
    stored = desk.env.backend.get_message(desk.channel.id, (await desk.channel_message(custom_id)).id)
    record, payload = base_payload(
        desk.env.backend,
        type=3,
        channel_id=desk.channel.id,
        guild_id=desk.guild.id,
        user_id=desk.maya.id,
        data={"custom_id": custom_id, **BUTTON},
    )
    payload["message"] = dict(serializers.message_payload(desk.env.backend, stored))
    sent: dict[str, Any] = payload
    for name in ("channel", "channel_id"):
        sent.pop(name, None)
    desk.env.backend.emit("INTERACTION_CREATE", payload)
    await desk.env.settle()
    return texts(InteractionResult(desk.env, record))


@pytest.mark.promise
@pytest.mark.parametrize("where", ["listed", "message"])
async def test_where_there_is_no_channel_nothing_is_started(tmp_path: Path, where: str) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
        custom_id = custom_id_of("again", job.id, 0)
        if where == "listed":
            custom_id = f"studii:listed:again:{job.id}:mine:0"
        assert "This only works in a channel." in await pressed_nowhere(desk, custom_id)
        assert len(await jobs_of(desk)) == 1


async def test_an_erased_photo_is_to_be_given_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
        job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
        await desk.db.write(privacy.scrub, desk.clock.now(), before=desk.clock.now() + timedelta(seconds=1))
        custom_id = custom_id_of("again", job.id, 0)
        message = await desk.channel_message(custom_id)
        told = texts(await press(desk, desk.maya, message, custom_id))
        assert "The original request has expired. Use the command or a photo's menu." in told
        assert len(await jobs_of(desk)) == 1
