"""What a person is told when Discord, a photo or a form gives less than was asked for."""

from pathlib import Path

import pytest
from simcord import InteractionResult
from simcord.interactions import base_payload

from bot.catalog import Catalog
from bot.reasons import Reason, ReasonCode
from bot.ui.kit.reasons import reason_words
from tests.support.desk import Desk, open_desk, texts
from tests.support.presses import press
from tests.ui.account.test_asking_for_more import dm_message


def test_a_kind_of_file_that_takes_more_memory_has_its_own_limit() -> None:
    reason = Reason(ReasonCode.PHOTO_TOO_MANY_PIXELS, {"width": 9000, "height": 8000, "most": 20_000_000})
    assert reason_words(reason) == (
        "That picture has 9000 × 8000 pixels (72 megapixels). The limit for this kind of file is 20 "
        "megapixels. Save it as a JPEG, or make it smaller."
    )


async def test_a_command_that_the_bot_no_longer_has_says_to_reload(tmp_path: Path) -> None:
    async with open_desk(tmp_path, check_errors=False) as desk:
        record, payload = base_payload(
            desk.env.backend,
            type=2,
            channel_id=desk.channel.id,
            guild_id=desk.guild.id,
            user_id=desk.maya.id,
            data={"id": "1", "name": "of-yesterday", "type": 1, "options": []},
        )
        desk.env.backend.emit("INTERACTION_CREATE", payload)
        await desk.env.settle()
        told = texts(InteractionResult(desk.env, record))
        assert "This command has changed. Reload Discord (Ctrl+R, or close and open the app)" in told


@pytest.mark.promise
async def test_an_input_that_the_photo_decides_is_not_taken_from_extra(desk: Desk) -> None:
    flag = Catalog.load().get("studio").source_flag
    assert flag is not None
    told = await desk.admin.slash(desk.channel, "studio", prompt="A kite", extra=f"{flag.name}=true")
    assert f"`{flag.name}` depends on whether you attach a photo. Leave it out of `extra`." in texts(told)


async def test_where_discord_does_not_answer_no_admin_is_asked(desk: Desk) -> None:
    custom_id = f"studii:ask:{desk.guild.id}:studio:8:{desk.channel.id}"
    message = await dm_message(desk, desk.maya, custom_id)
    desk.env.inject_error("GET", f"/guilds/{desk.guild.id}/members/*", status=503, times=None)
    told = await press(desk, desk.maya, message, custom_id, in_server=False)
    assert "Discord didn't answer. Try again in a moment. No admin was asked." in texts(told)
