"""Nobody fills in a form for nothing: what is known to be refused is refused before it opens."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.credits.limits import StartRate
from bot.domain.guilds import Period
from tests.reactions.taps import post
from tests.support import spending
from tests.support.desk import PNG, Desk, open_desk, texts
from tests.support.settings import admin

STAGING = "Virtual staging"
DRAWING = ("plan.svg", b"<svg/>")


async def paused(desk: Desk) -> None:
    await desk.set_key()
    await admin(desk, "pause")


async def without_key(_: Desk) -> None:
    """Nothing was set up."""


async def without_credits(desk: Desk) -> None:
    await desk.set_key()
    await spending.set_budget(desk.services, desk.guild.id, 1, Period.DAY)


async def without_starts(desk: Desk) -> None:
    await desk.set_key()
    await spending.set_limits(desk.services, desk.guild.id, rate=StartRate(1, 600))
    await desk.tom.slash(desk.channel, "studio", prompt="A kite")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("so", "reason"),
    [
        (without_key, "no Studii key yet"),
        (paused, "New jobs are paused"),
        (without_credits, "the server has 1 of 1 credit left"),
        (without_starts, "reached the limit of 1 job in 10 minutes"),
    ],
)
async def test_a_form_that_could_start_nothing_does_not_open(
    tmp_path: Path, so: Callable[[Desk], Awaitable[None]], reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await so(desk)
        message = await post(desk, desk.maya, ("room.png", PNG))
        shown = await desk.tom.context_menu(desk.channel, STAGING, message)
        assert shown.modal is None
        assert shown.ephemeral
        assert reason in texts(shown)


async def test_a_message_with_drawings_alone_is_refused_at_once(desk: Desk) -> None:
    message = await post(desk, desk.maya, DRAWING)
    shown = await desk.tom.context_menu(desk.channel, STAGING, message)
    assert shown.modal is None
    assert "Studii can't use" in texts(shown)


async def test_drawings_are_no_choice_beside_photos(desk: Desk) -> None:
    message = await post(desk, desk.maya, DRAWING, ("room.png", PNG), ("hall.png", PNG))
    shown = await desk.tom.context_menu(desk.channel, "Photo restoration", message)
    assert shown.modal is not None
    select, _ = (piece["component"] for piece in shown.modal["components"])
    labels = [one["label"] for one in select["options"]]
    assert labels == ["All 2 · about 16 credits", "1. room.png", "2. hall.png"]
