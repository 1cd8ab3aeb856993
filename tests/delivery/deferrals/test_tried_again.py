"""What can't be said after a kill is tried again, within bounds, and is kept for the next start."""

import asyncio
from pathlib import Path

import discord
import pytest

from bot.client.bot import ANSWERING_LEFT
from bot.delivery import DeferralFiles
from bot.delivery.deferrals import late_answers
from bot.delivery.deferrals.late_answers import FINISHING_TRIES
from tests.support.desk import texts
from tests.support.patience import PATIENCE
from tests.ui.jobs.late import (
    are_kept,
    begin_another_life,
    begin_answering,
    keep,
    kept,
    late,
    left_unanswered,
    restarted,
    told_to_run_again,
)


class Away:
    """Nothing that is sent to Discord arrives, and each try is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tries = 0
        monkeypatch.setattr(discord.Webhook, "send", self._send)
        monkeypatch.setattr(late_answers, "FINISH_AGAIN_SECONDS", 0.01)
        monkeypatch.setattr(late_answers, "MAX_FINISH_AGAIN_SECONDS", 0.01)

    async def _send(self, *_: object, **__: object) -> None:
        self.tries += 1
        raise ConnectionResetError

    async def tried(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.tries < times:  # noqa: ASYNC110 - a task of the bot's
                await asyncio.sleep(0.005)


async def test_what_cannot_be_sent_after_a_restart_is_tried_again_and_is_kept_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        shown = await left_unanswered(desk, tmp_path, monkeypatch)
        with monkeypatch.context() as patch:
            away = Away(patch)
            finishing = asyncio.create_task(restarted(desk, journal))
            await away.tried(3)
            finishing.cancel()  # the bot stops
            await asyncio.wait([finishing])
        assert len(kept(tmp_path)) == 1
        await restarted(desk, journal)
        told_to_run_again(shown)
        assert kept(tmp_path) == []


async def test_what_could_not_be_sent_after_a_restart_is_sent_without_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        shown = await left_unanswered(desk, tmp_path, monkeypatch)
        with monkeypatch.context() as patch:
            away = Away(patch)
            finishing = asyncio.create_task(restarted(desk, journal))
            await away.tried(2)
            # A new deferral is this process's own, which answers it.
            async with desk.storage.write():
                asking = asyncio.create_task(desk.tom.slash(desk.channel, "studio", prompt="A boat"))
                await are_kept(tmp_path, 2)
                await away.tried(away.tries + 2)
                assert len(kept(tmp_path)) == 2
        await asyncio.wait_for(finishing, PATIENCE)
        told_to_run_again(shown)
        assert (await asking).followups == []
        (card,) = desk.channel.history()
        assert "A boat" in texts(card)
        assert kept(tmp_path) == []


async def test_what_a_start_cannot_read_is_read_again_without_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        shown = await left_unanswered(desk, tmp_path, monkeypatch)
        monkeypatch.setattr(late_answers, "FINISH_AGAIN_SECONDS", 0.01)
        monkeypatch.setattr(late_answers, "MAX_FINISH_AGAIN_SECONDS", 0.01)
        left, readable, tried = DeferralFiles.left, asyncio.Event(), asyncio.Event()

        async def trouble(files: DeferralFiles) -> list[tuple[int, bytes]]:
            if readable.is_set():
                return await left(files)
            tried.set()
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(DeferralFiles, "left", trouble)
        finishing = asyncio.create_task(restarted(desk, journal))
        async with asyncio.timeout(PATIENCE):
            await tried.wait()
        async with desk.storage.write():
            asking = asyncio.create_task(desk.tom.slash(desk.channel, "studio", prompt="A boat"))
            await are_kept(tmp_path, 2)
            readable.set()
            await asyncio.wait_for(finishing, PATIENCE)
            assert len(kept(tmp_path)) == 1  # this life's own, which it answers
        told_to_run_again(shown)
        assert (await asking).followups == []
        (card,) = desk.channel.history()
        assert "A boat" in texts(card)


async def test_what_is_to_be_tried_again_does_not_keep_the_bot_from_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        await left_unanswered(desk, tmp_path, monkeypatch)
        begin_another_life(desk, journal)
        away = Away(monkeypatch)
        for pause in ("FINISH_AGAIN_SECONDS", "MAX_FINISH_AGAIN_SECONDS"):
            monkeypatch.setattr(late_answers, pause, 10 * PATIENCE)
        begin_answering(desk)
        await away.tried(1)
        await asyncio.wait_for(desk.bot.close(), PATIENCE)
        assert ANSWERING_LEFT not in {task.get_name() for task in asyncio.all_tasks()}
        assert (away.tries, len(kept(tmp_path))) == (1, 1)


async def test_what_cannot_be_sent_is_given_up_when_its_token_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        await left_unanswered(desk, tmp_path, monkeypatch)
        away = Away(monkeypatch)
        finishing = asyncio.create_task(restarted(desk, journal))
        await away.tried(2)
        desk.clock.advance(15 * 60)
        await asyncio.wait_for(finishing, PATIENCE)
        assert away.tries < FINISHING_TRIES
        assert kept(tmp_path) == []


async def test_what_can_never_be_sent_is_tried_a_limited_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        await left_unanswered(desk, tmp_path, monkeypatch)
        monkeypatch.setattr(late_answers, "FINISHING_TRIES", 2)
        away = Away(monkeypatch)
        for _ in range(2):
            tries = away.tries
            await asyncio.wait_for(restarted(desk, journal), PATIENCE)
            assert away.tries == tries + 3
        assert len(kept(tmp_path)) == 1
