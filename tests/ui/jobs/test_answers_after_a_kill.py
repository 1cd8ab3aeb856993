"""After a kill, the next start answers those who had been told that their answer would come."""

import asyncio
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.delivery import DeferralJournal
from bot.delivery.deferrals.journal import RESTARTED, RESTARTED_CHANGE
from bot.services.acceptance.batches import AcceptanceBatches
from tests.support.desk import texts
from tests.ui.jobs.late import announced, asked, keep, kept, late, restarted


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("private", [True, False])
async def test_after_a_kill_nobody_is_left_with_an_announcement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accepted: bool, private: bool
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        async def killed(*_: object) -> None:
            raise asyncio.CancelledError

        if accepted:
            monkeypatch.setattr("bot.ui.jobs.start.show_card", killed)
        else:
            monkeypatch.setattr(AcceptanceBatches, "_accept_within", killed)
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
            assert str(RESTARTED) in texts(shown.response if private else shown.followups[-1])
            assert desk.channel.history() == []
        await restarted(desk, journal)  # another start finds nothing


async def test_a_kill_between_removing_an_announcement_and_saying_why_leaves_nobody_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)
        await desk.services.credits.set_budget(desk.guild.id, 1, None)

        async def killed(*_: object, **__: object) -> None:
            raise asyncio.CancelledError

        with monkeypatch.context() as patch:
            patch.setattr(discord.Webhook, "send", killed)
            shown = await asked(desk, desk.maya, tmp_path)
        assert (desk.channel.history(), shown.followups) == ([], [])
        await restarted(desk, journal)
        (told,) = shown.followups
        assert told.ephemeral
        assert str(RESTARTED) in texts(told)
        assert kept(tmp_path) == []


async def test_what_cannot_be_sent_after_a_restart_is_kept_for_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        async def killed(*_: object) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(AcceptanceBatches, "_accept_within", killed)
        shown = await asked(desk, desk.maya, tmp_path)

        async def unreachable(*_: object, **__: object) -> None:
            raise ConnectionResetError

        with monkeypatch.context() as patch:
            patch.setattr(discord.Webhook, "send", unreachable)
            await restarted(desk, journal)
        assert len(kept(tmp_path)) == 1
        await restarted(desk, journal)
        (told,) = shown.followups
        assert str(RESTARTED) in texts(told)
        assert kept(tmp_path) == []


async def test_after_a_kill_an_admin_is_told_to_check_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        pause = type(desk.services.servers).pause

        async def killed_after_it(*given: Any, **named: Any) -> None:
            await pause(*given, **named)
            raise asyncio.CancelledError

        monkeypatch.setattr(type(desk.services.servers), "pause", killed_after_it)
        async with desk.storage.write():
            asking = asyncio.create_task(desk.admin.slash(desk.channel, "studii pause"))
            await announced(tmp_path)
        shown = await asking
        await restarted(desk, journal)
        assert str(RESTARTED_CHANGE) in texts(shown.response)
        assert kept(tmp_path) == []


async def test_what_was_answered_or_is_too_old_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        journal = keep(desk, tmp_path)

        async def forgets_nothing(*_: object) -> None: ...

        monkeypatch.setattr(DeferralJournal, "forget", forgets_nothing)
        await asked(desk, desk.maya, tmp_path)
        (card,) = desk.channel.history()
        await restarted(desk, journal)
        assert [one.id for one in desk.channel.history()] == [card.id]
        assert kept(tmp_path) == []
        (tmp_path / "deferrals" / "1.deferred").write_bytes(b"of another key")
        await restarted(desk, journal)
        assert kept(tmp_path) == []
