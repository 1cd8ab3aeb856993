"""After a kill, the next start answers those who had been told that their answer would come."""

import asyncio
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.delivery import DeferralJournal
from bot.delivery.deferrals import journal as journal_module, late_answers
from bot.delivery.deferrals.late_answers import LEFT_UNANSWERED
from bot.jobs.accept import Acceptor
from bot.ui.jobs.first_card import STARTED
from bot.ui.kit.deferral import LateAnswer
from bot.ui.kit.layout import QUIET, Panel, boxed
from tests.reactions.taps import jobs_of
from tests.support import spending
from tests.support.desk import texts
from tests.ui.jobs.late import (
    announced,
    asked,
    keep,
    kept,
    killed,
    killed_within,
    late,
    left_unanswered,
    restarted,
    told_to_run_again,
)
from tests.ui.jobs.sets.test_sets import offered


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("private", [True, False])
async def test_after_a_kill_nobody_is_left_with_an_announcement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accepted: bool, private: bool
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        if accepted:
            monkeypatch.setattr("bot.ui.jobs.start.show_card", killed)
        else:
            monkeypatch.setattr(Acceptor, "_decide", killed_within)
        async with desk.storage.write():
            options = {"private": True} if private else {}
            asking = asyncio.create_task(desk.maya.slash(desk.channel, "studio", prompt="A kite", **options))
            await announced(tmp_path)
        shown = await asking
        assert len(kept(tmp_path)) == 1
        await restarted(desk, journal)
        assert kept(tmp_path) == []
        if accepted:
            assert shown.response is not None
            assert "A kite" in texts(shown.response)
            assert shown.ephemeral is private
            assert (await desk.job()).card_message_id == shown.response.id
        else:
            assert str(LEFT_UNANSWERED[LateAnswer.CARD]) in texts(
                shown.response if private else shown.followups[-1]
            )
            assert desk.channel.history() == []
        await restarted(desk, journal)  # another start finds nothing


async def test_after_a_kill_a_whole_set_is_shown_that_was_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        form = await offered(desk, desk.maya)

        with monkeypatch.context() as patch:
            patch.setattr("bot.ui.jobs.start.show_card", killed)
            shown = await desk.maya.submit_modal(form, {"image": ["first 6"]})
        await restarted(desk, journal)
        assert shown.response is not None
        assert "6 photos" in texts(shown.response)
        assert {job.card_message_id for job in await jobs_of(desk)} == {shown.response.id}


async def test_a_kill_between_removing_an_announcement_and_saying_why_leaves_nobody_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        await spending.set_budget(desk.services, desk.guild.id, 1, None)

        with monkeypatch.context() as patch:
            patch.setattr(discord.Webhook, "send", killed)
            shown = await asked(desk, desk.maya, tmp_path)
        assert (desk.channel.history(), shown.followups) == ([], [])
        await restarted(desk, journal)
        assert told_to_run_again(shown).ephemeral
        assert kept(tmp_path) == []


@pytest.mark.promise
async def test_after_a_kill_an_admin_is_told_to_check_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        write = desk.services.db.write

        async def killed_after_it(*given: Any, **named: Any) -> None:
            await write(*given, **named)
            raise asyncio.CancelledError

        monkeypatch.setattr(desk.services.db, "write", killed_after_it)
        async with desk.storage.write():
            asking = asyncio.create_task(desk.admin.slash(desk.channel, "studii pause"))
            await announced(tmp_path)
        shown = await asking
        await restarted(desk, journal)
        assert str(LEFT_UNANSWERED[LateAnswer.CHANGE]) in texts(shown.response)
        assert kept(tmp_path) == []


@pytest.mark.parametrize("command", ["tools", "studii usage", "studii export"])
async def test_after_a_kill_people_are_asked_to_try_again_what_they_wanted_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(discord.Interaction, "edit_original_response", killed)
            shown = await desk.admin.slash(desk.channel, command)
        assert texts(shown.response) == ""
        await restarted(desk, journal)
        assert str(LEFT_UNANSWERED[LateAnswer.VIEW]) in texts(shown.response)
        assert kept(tmp_path) == []


@pytest.mark.parametrize("command", ["tools", "studii usage", "studii export"])
async def test_what_was_shown_is_not_answered_again_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        keep(desk, tmp_path)
        shown = await desk.admin.slash(desk.channel, command)
        assert texts(shown.response) != ""
        assert kept(tmp_path) == []


def forget_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each answer be followed by a kill: that it was given is not noted any more."""

    async def forgets_nothing(*_: object) -> None: ...

    monkeypatch.setattr(DeferralJournal, "forget", forgets_nothing)


@pytest.mark.parametrize("command", ["studii pause", "studii usage"])
async def test_an_answer_that_came_before_the_kill_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        forget_nothing(monkeypatch)
        async with desk.storage.write():
            asking = asyncio.create_task(desk.admin.slash(desk.channel, command))
            await announced(tmp_path)
        shown = await asking
        assert shown.response is not None
        told = texts(shown.response)
        assert told not in {"", *map(str, LEFT_UNANSWERED.values())}
        assert len(kept(tmp_path)) == 1
        await restarted(desk, journal)
        assert texts(shown.response) == told
        assert shown.followups == []
        assert kept(tmp_path) == []


def another_card(*_: object) -> Panel:
    return boxed(QUIET, STARTED)


async def test_a_card_that_was_shown_before_the_kill_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        forget_nothing(monkeypatch)
        await asked(desk, desk.maya, tmp_path)
        (card,) = desk.channel.history()
        assert "A kite" in texts(card)
        # What has changed since is for the engine to show, which knows the job's place in the queue, too.
        monkeypatch.setattr(late_answers, "card_of", another_card)
        await restarted(desk, journal)
        (after,) = desk.channel.history()
        assert (after.id, texts(after)) == (card.id, texts(card))
        assert kept(tmp_path) == []


async def test_what_cannot_be_read_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        (tmp_path / "deferrals").mkdir()
        (tmp_path / "deferrals" / "1.deferred").write_bytes(b"of another key")
        await restarted(desk, journal)
        assert kept(tmp_path) == []


async def test_what_can_be_answered_no_more_takes_no_room_from_what_is_deferred_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        keep(desk, tmp_path)
        monkeypatch.setattr(journal_module, "MAX_KEPT_DEFERRALS", 1)
        await left_unanswered(desk, tmp_path, monkeypatch)
        (first,) = kept(tmp_path)
        await left_unanswered(desk, tmp_path, monkeypatch)
        assert kept(tmp_path) == [first]  # there is no room
        desk.clock.advance(15 * 60)
        await left_unanswered(desk, tmp_path, monkeypatch)
        assert len(kept(tmp_path)) == 2
