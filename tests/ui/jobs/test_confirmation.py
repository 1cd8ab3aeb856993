"""Above a price that the server sets, a job asks its person first, however it is started."""

import asyncio
from pathlib import Path

import pytest
from simcord import InteractionResult, MemberActor

from bot.credits import charges
from bot.credits.limits import AllowanceScope
from bot.jobs.confirm import Repeated, find_open
from bot.jobs.models import MemberContext
from bot.servers import keys
from tests.support import spending
from tests.support.desk import PNG, Desk, make_bot, pieces, texts
from tests.support.questions import all_questions
from tests.support.settings import admin
from tests.ui.jobs.results.test_result_buttons import jobs, press, staged

RUN = "Run · about 8 credits"
ROOM = ("room.png", PNG)


async def asking(desk: Desk, above: int = 5) -> None:
    await desk.set_key()
    shown = await admin(desk, "budget", confirm=above)
    assert f"**Price to confirm**: changed from ask no one to {above} credits." in texts(shown)


async def confirm(who: MemberActor, asked: InteractionResult, label: str = RUN) -> InteractionResult:
    message = asked.followups[-1] if asked.followups else asked.response
    assert message is not None
    return await who.click(message, label=label)


def labels(shown: object) -> list[str]:
    return [str(piece.get("label")) for piece in pieces(shown) if piece["type"] == 2]


@pytest.mark.promise
async def test_it_is_off_until_it_is_set_and_can_be_turned_off_again(desk: Desk) -> None:
    assert "**Price to confirm**: ask no one" in texts(await admin(desk, "budget"))
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert len(await jobs(desk)) == 1
    await admin(desk, "budget", confirm=5)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert len(await jobs(desk)) == 1
    assert "to ask no one." in texts(await admin(desk, "budget", confirm=0))
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert len(await jobs(desk)) == 2


async def test_a_command_asks_its_person_alone_with_the_price_and_one_button(desk: Desk) -> None:
    await asking(desk)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert asked.ephemeral
    shown = texts(asked)
    assert "🎨 Studio costs about 8 credits. Start it?" in shown
    assert "> A red kite" in shown
    assert "This server asks before a job at this price starts." in shown
    assert labels(asked) == [RUN]
    assert await jobs(desk) == []
    before = await spending.budget(desk.services, desk.guild.id)
    assert before.usage.reserved == 0
    await confirm(desk.maya, asked)
    (job,) = await jobs(desk)
    assert (job.user_id, job.inputs["prompt"], job.reserved) == (desk.maya.id, "A red kite", 8)
    assert "Waiting to start" in texts(asked)
    assert desk.channel.history() == []


async def test_below_the_price_nothing_is_asked(desk: Desk) -> None:
    await asking(desk, 8)
    assert "Waiting to start" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", mode="video")
    assert labels(asked) == ["Run · about 40 credits"]


@pytest.mark.parametrize("label", ["Run again", "Edit", "Use in…"])
async def test_the_buttons_of_a_result_ask_too(desk: Desk, tmp_path: Path, label: str) -> None:
    message = await staged(desk, tmp_path)
    await admin(desk, "budget", confirm=5)
    asked = await press(desk, desk.tom, message, label)
    if label == "Edit":
        asked = await desk.tom.submit_modal(asked, {})
    elif label == "Use in…":
        assert asked.response is not None
        asked = await desk.tom.select(asked.response, ["photo-restore"])
        asked = asked if asked.modal is None else await desk.tom.submit_modal(asked, {})
    assert "costs about 8 credits. Start it?" in texts(asked)
    assert len(await jobs(desk)) == 1
    await confirm(desk.tom, asked)
    first, second = await jobs(desk)
    assert (second.user_id, second.source is None) == (desk.tom.id, first.source is None)


@pytest.mark.promise
async def test_a_form_and_a_menu_ask_too(desk: Desk) -> None:
    await asking(desk)
    await desk.maya.send(desk.channel, "Look", attachments=[ROOM])
    photo = desk.channel.history()[-1]
    asked = await desk.maya.context_menu(desk.channel, "Photo restoration", photo)
    asked = asked if asked.modal is None else await desk.maya.submit_modal(asked, {})
    assert "Photo restoration costs about 8 credits. Start it?" in texts(asked)
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", photo)
    asked = await desk.maya.submit_modal(form, {})
    assert "Virtual staging costs about 8 credits. Start it?" in texts(asked)
    assert await jobs(desk) == []


@pytest.mark.promise
async def test_two_presses_at_once_make_one_job(desk: Desk) -> None:
    await asking(desk)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    (question,) = await desk.db.read(all_questions)
    answers = await asyncio.gather(
        *(desk.services.acceptance.accept_all(question.confirmed(MemberContext())) for _ in range(5)),
        return_exceptions=True,
    )
    assert [type(one) for one in answers if not isinstance(one, list)] == [Repeated] * 4
    assert len(await jobs(desk)) == 1
    assert await desk.services.db.read(find_open, question.id, desk.clock.now()) is None


async def test_a_question_can_be_answered_after_a_restart_and_not_when_it_has_expired(desk: Desk) -> None:
    await asking(desk)
    first = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    second = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    await confirm(desk.maya, first)
    assert [job.inputs["prompt"] for job in await jobs(desk)] == ["A red kite"]
    desk.clock.advance(15 * 60)
    await confirm(desk.maya, second)
    assert "has expired or was answered already" in texts(second)
    assert labels(second) == []
    assert len(await jobs(desk)) == 1


@pytest.mark.promise
async def test_what_became_dearer_meanwhile_is_asked_again(desk: Desk) -> None:
    await asking(desk)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    await _learn(desk, 12)
    await confirm(desk.maya, asked)
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert "That's more than the price you saw." in texts(asked)
    assert await jobs(desk) == []
    await confirm(desk.maya, asked, "Run · 12 credits")
    assert [job.estimate for job in await jobs(desk)] == [12]


async def test_what_is_refused_is_refused_before_it_is_asked_and_when_it_is_confirmed(desk: Desk) -> None:
    await asking(desk)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    await spending.set_limits(desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, 5))
    refused = await confirm(desk.maya, asked)
    assert "your allowance has 5 of 5 credits left" in texts(refused)
    assert "your allowance" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
    assert await jobs(desk) == []
    await spending.set_limits(desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, None))
    await confirm(desk.maya, asked)
    assert len(await jobs(desk)) == 1


async def test_one_has_a_bounded_number_of_open_questions(desk: Desk) -> None:
    await asking(desk)
    for number in range(10):
        assert labels(await desk.maya.slash(desk.channel, "studio", prompt=f"Kite {number}")) == [RUN]
    refused = await desk.maya.slash(desk.channel, "studio", prompt="One more")
    assert "You have 10 jobs here that wait for your confirmation." in texts(refused)
    assert labels(await desk.tom.slash(desk.channel, "studio", prompt="Mine")) == [RUN]


async def _learn(desk: Desk, charge: int) -> None:
    """Studii charges so much for pictures with the server's key."""
    tool = desk.bot.catalog.get("studio")
    key = await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    variant = tool.variant(tool.prepare({"prompt": "x"}, has_source=False))
    await desk.db.write(charges.learn, key.lane, "studio", variant, charge, desk.clock.now())
