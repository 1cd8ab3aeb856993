"""Who was told that an answer will come gets it in the end, although Discord did not take it at first."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult
from simcord.backend.models import Interaction

from bot.delivery import DeferralFiles
from bot.delivery.deferrals import late_answers
from bot.delivery.deferrals.late_answers import LEFT_UNANSWERED
from bot.jobs.cards import CardShown, note_shown
from bot.ui.jobs.first_card import STARTED
from bot.ui.kit.deferral import LateAnswer
from bot.ui.kit.first_answer import announce_card
from tests.support import spending
from tests.support.desk import Desk, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_command
from tests.ui.jobs.late import all_answered, begin_answering, kept, late

TRIES = 5
ANSWERS = ("edit_original_response", "delete_original_response", "original_response")


class Discord:
    """A Discord that takes no late answer until it is back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tries = 0
        self._back = False
        for name in ANSWERS:
            monkeypatch.setattr(discord.Interaction, name, self._lost(getattr(discord.Interaction, name)))
        for name in ("send", "edit_message", "fetch_message"):
            monkeypatch.setattr(discord.Webhook, name, self._lost(getattr(discord.Webhook, name)))

    def _lost(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def calls(*args: Any, **given: Any) -> Any:
            self.tries += 1
            if self._back:
                return await call(*args, **given)
            raise ConnectionResetError

        return calls

    async def tried(self, times: int = TRIES) -> None:
        """Return when that many answers were tried: as a rule, more than a handler tries."""
        async with asyncio.timeout(PATIENCE):
            while self.tries < times:  # noqa: ASYNC110 - a task of the bot's
                await asyncio.sleep(0.005)

    async def comes_back(self, folder: Path) -> None:
        """Take answers from now on, and return when all were given."""
        self._back = True
        await all_answered(folder)


@asynccontextmanager
async def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[Desk, Discord]]:
    """A desk at which every answer is late, and Discord takes none at first."""
    async with late(tmp_path, monkeypatch) as desk:
        for pause in ("FINISH_AGAIN_SECONDS", "MAX_FINISH_AGAIN_SECONDS"):
            monkeypatch.setattr(late_answers, pause, 0.01)
        monkeypatch.setattr(late_answers, "FINISHING_TRIES", 1000)
        begin_answering(desk)
        yield desk, Discord(monkeypatch)


async def asked(desk: Desk, away: Discord, **options: bool) -> InteractionResult:
    """Return what becomes of a command whose answer was tried, in vain so far."""
    sent = send_command(desk, desk.maya, "studio", prompt="A kite", **options)
    await away.tried()
    return InteractionResult(desk.env, sent)


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_a_card_that_discord_did_not_take_is_shown_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        shown = await asked(desk, discord_, **({"private": True} if private else {}))
        assert texts(shown.response) == ""
        assert len(kept(tmp_path)) == 1
        await discord_.comes_back(tmp_path)
        assert "A kite" in texts(shown.response)
        assert shown.ephemeral is private
        assert shown.response is not None
        assert (await desk.job()).card_message_id == shown.response.id


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_who_could_not_be_refused_is_told_later_that_nothing_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        await spending.set_budget(desk.services, desk.guild.id, 1, None)
        shown = await asked(desk, discord_, **({"private": True} if private else {}))
        assert len(kept(tmp_path)) == 1
        await discord_.comes_back(tmp_path)
        told = shown.response if private else shown.followups[-1]
        assert told is not None
        assert told.ephemeral
        assert texts(told) == str(LEFT_UNANSWERED[LateAnswer.CARD])
        assert desk.channel.history() == []


async def test_answers_of_several_people_come_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        first = await asked(desk, discord_)
        sent = send_command(desk, desk.tom, "studio", prompt="A boat")
        await discord_.tried(discord_.tries + 2 * TRIES)
        await discord_.comes_back(tmp_path)
        assert "A kite" in texts(first.response)
        assert "A boat" in texts(InteractionResult(desk.env, sent).response)
        tries, given_again = discord_.tries, asyncio.Event()
        monkeypatch.setattr(DeferralFiles, "left", _read(given_again))
        desk.bot.deferrals.look_again()
        async with asyncio.timeout(PATIENCE):
            await given_again.wait()
        await asyncio.sleep(0.05)
        assert discord_.tries == tries


async def test_a_crowd_whose_answers_discord_did_not_take_gets_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        monkeypatch.setattr(late_answers, "FINISHING_TRIES", 5)
        for pause in ("FINISH_AGAIN_SECONDS", "MAX_FINISH_AGAIN_SECONDS"):
            monkeypatch.setattr(late_answers, pause, 1.0)
        sent: list[Interaction] = []
        for number in range(1, 7):
            sent.append(send_command(desk, desk.maya, "studio", prompt=f"Kite {number}"))
            await _given_up(desk, number)
        await discord_.comes_back(tmp_path)
        shown = [texts(InteractionResult(desk.env, one).response) for one in sent]
        assert all(f"Kite {number}" in card for number, card in enumerate(shown, 1))


@pytest.mark.parametrize("listed", [True, False])
async def test_what_discord_has_not_taken_is_given_up_when_its_token_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, listed: bool
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        shown = await asked(desk, discord_)
        if not listed:  # as the table in PostgreSQL lists none of the process's own
            monkeypatch.setattr(DeferralFiles, "left", _none)
        desk.clock.advance(15 * 60)
        await all_answered(tmp_path)
        tries = discord_.tries
        desk.bot.deferrals.look_again()
        await asyncio.sleep(0.05)
        assert discord_.tries == tries
        assert texts(shown.response) == ""


async def test_what_only_its_person_was_told_of_a_public_card_is_replaced_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        # Their last request was refused, so the next answer was announced to them alone.
        monkeypatch.setattr(type(desk.services.acceptance), "told_alone", _told_alone)
        shown = await asked(desk, discord_)
        (card,) = desk.channel.history()
        assert "A kite" in texts(card)
        await discord_.comes_back(tmp_path)
        assert texts(shown.response) == str(STARTED)
        assert [one.id for one in desk.channel.history()] == [card.id]


async def test_a_private_card_that_could_not_be_shown_alone_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        monkeypatch.setattr("bot.ui.jobs.start.announce_card", _publicly)
        shown = await asked(desk, discord_, private=True)
        assert len(kept(tmp_path)) == 1
        await discord_.comes_back(tmp_path)
        (card,) = shown.followups
        assert card.ephemeral
        assert "A kite" in texts(card)
        assert desk.channel.history() == []


async def test_an_announcement_goes_when_the_engine_has_posted_the_card_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with away(tmp_path, monkeypatch) as (desk, discord_):
        await asked(desk, discord_)
        job = await desk.job()
        await desk.services.db.write_together(note_shown, CardShown(job.id, 1, job.version))
        await discord_.comes_back(tmp_path)
        assert desk.channel.history() == []
        assert (await desk.job()).card_message_id == 1


async def _given_up(desk: Desk, number: int) -> None:
    """Wait until that many answers were given up, and the last one was tried again."""
    given_up: dict[int, object] = vars(desk.bot.deferrals)["_given_up"]
    async with asyncio.timeout(PATIENCE):
        while len(given_up) < number:  # noqa: ASYNC110 - a task of the bot's
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)


async def _none(_files: DeferralFiles) -> list[tuple[int, bytes]]:
    return []


def _read(event: asyncio.Event) -> Callable[..., Any]:
    left = DeferralFiles.left

    async def read(files: DeferralFiles) -> list[tuple[int, bytes]]:
        try:
            return await left(files)
        finally:
            event.set()

    return read


def _told_alone(*_: object) -> bool:
    return True


def _publicly(interaction: discord.Interaction, **_: object) -> None:
    announce_card(interaction, private=lambda: False)
