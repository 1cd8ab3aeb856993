"""Nobody is turned away because the database takes long: the answer comes later, to whom it concerns."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from cryptography.fernet import Fernet
from simcord import InteractionResult, MemberActor

from bot.delivery import DeferralFiles, DeferralJournal
from bot.delivery.deferrals import RESTARTED, RESTARTED_CHANGE
from bot.services.acceptance.batches import AcceptanceBatches
from bot.storage import Vault
from bot.ui.kit import deferral
from bot.ui.kit.deferral import START_WITHDRAWN
from tests.support.desk import Desk, open_desk, texts
from tests.support.patience import PATIENCE


@asynccontextmanager
async def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Desk]:
    """A desk at which every answer that waits for the database is late."""
    monkeypatch.setattr(deferral, "_later", at_once)
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        keep(desk, tmp_path)
        monkeypatch.setattr(desk.env.backend, "delete_message", deletes_as_discord(desk.env.backend))
        yield desk


def deletes_as_discord(backend: Any) -> Callable[[int, int], None]:
    """In the simulation, a deferral that was deleted goes on to take the next followup for its answer."""
    delete = backend.delete_message

    def delete_message(channel_id: int, message_id: int) -> None:
        delete(channel_id, message_id)
        for record in backend.interactions.values():
            if record.message_id == message_id:
                record.complete_deferred()

    return delete_message


def at_once(_seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    return asyncio.get_running_loop().call_soon(call)


def keep(desk: Desk, folder: Path) -> DeferralJournal:
    vault = Vault.open([Fernet.generate_key().decode()], folder / "none.key")
    journal = DeferralJournal(DeferralFiles(folder / "deferrals"), vault, desk.clock)
    desk.bot.attach(desk.services, desk.delivery, desk.clock, journal)
    return journal


async def asked(desk: Desk, member: MemberActor, folder: Path, **options: object) -> InteractionResult:
    """What becomes of a command that is given while somebody else writes to the database."""
    async with desk.storage.write():
        answer = asyncio.create_task(member.slash(desk.channel, "studio", prompt="A kite", **options))
        await announced(folder)
    return await answer


async def announced(folder: Path) -> None:
    """Wait until Discord has been told that an answer will come."""
    async with asyncio.timeout(20):
        while not list((folder / "deferrals").glob("*.deferred")):  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def kept(folder: Path) -> list[Path]:
    return list((folder / "deferrals").iterdir())


async def test_a_card_comes_late_in_place_of_what_announced_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await asked(desk, desk.maya, tmp_path)
        assert not shown.ephemeral
        (card,) = desk.channel.history()
        assert "A kite" in texts(card)
        assert (await desk.job()).card_message_id == card.id
        assert kept(tmp_path) == []


async def test_a_private_card_comes_late_to_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await asked(desk, desk.maya, tmp_path, private=True)
        assert shown.ephemeral
        assert shown.response is not None
        assert "A kite" in texts(shown.response)
        assert kept(tmp_path) == []


async def test_a_refusal_after_a_public_deferral_is_for_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.services.credits.set_budget(desk.guild.id, 1, None)
        shown = await asked(desk, desk.maya, tmp_path)
        assert desk.channel.history() == []
        (told,) = shown.followups
        assert told.ephemeral
        assert "1 of 1 credit left today" in texts(told)
        assert kept(tmp_path) == []


async def test_where_the_announcement_cannot_be_deleted_it_becomes_a_neutral_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.services.credits.set_budget(desk.guild.id, 1, None)
        desk.env.inject_error("DELETE", "/webhooks/*/*/messages/*", status=404, code=10008, times=1)
        shown = await asked(desk, desk.maya, tmp_path)
        (line,) = desk.channel.history()
        assert texts(line) == str(START_WITHDRAWN)
        (told,) = shown.followups
        assert told.ephemeral
        assert "1 of 1 credit left today" in texts(told)


async def test_where_others_are_asked_first_the_bot_waits_for_the_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.services.credits.set_confirm_above(desk.guild.id, 1)
        assert (await asked(desk, desk.maya, tmp_path)).followups[0].ephemeral
        shown = await asked(desk, desk.tom, tmp_path)
        assert shown.ephemeral
        assert shown.response is not None
        assert desk.channel.history() == []


async def test_where_others_are_refused_an_accepted_job_has_an_ordinary_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.services.credits.set_budget(desk.guild.id, 1, None)
        await asked(desk, desk.maya, tmp_path)
        await desk.services.credits.set_budget(desk.guild.id, 100, None)
        shown = await asked(desk, desk.tom, tmp_path)
        assert shown.ephemeral  # as the answer would most probably have been
        assert shown.response is None
        (card,) = desk.channel.history()
        assert "A kite" in texts(card)
        assert not card.flags.ephemeral
        assert (await desk.job()).card_message_id == card.id
        assert kept(tmp_path) == []


async def test_an_answer_in_time_is_not_announced(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        keep(desk, tmp_path)
        shown = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
        assert not shown.deferred
        assert not (tmp_path / "deferrals").exists()


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
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
        assert kept(tmp_path) == []
        if accepted:
            assert shown.response is not None
            assert "A kite" in texts(shown.response)
            assert shown.ephemeral is private
            assert (await desk.job()).card_message_id == shown.response.id
        else:
            assert str(RESTARTED) in texts(shown.response if private else shown.followups[-1])
            assert desk.channel.history() == []
        await journal.finish(
            desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers
        )  # another start finds nothing


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
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
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
            await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
        assert len(kept(tmp_path)) == 1
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
        (told,) = shown.followups
        assert str(RESTARTED) in texts(told)
        assert kept(tmp_path) == []


ADMINS: dict[str, tuple[dict[str, object], str]] = {
    "studii pause": ({}, "paused"),
    "studii budget": ({"credits": 70}, "70"),
    "studii grant": ({"credits": 5}, "5"),
    "studii allowance": ({"credits": 5}, "5"),
    "studii access": ({"photos": "own"}, "own"),
    "studii metadata": ({"remove": False}, "metadata"),
    "studii reactions on": ({}, "Reactions are on"),
    "studii photos offer": ({}, "offered"),
}


@pytest.mark.parametrize("command", ADMINS)
async def test_admins_too_get_their_answer_late_rather_than_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    options, words = ADMINS[command]
    async with late(tmp_path, monkeypatch) as desk:
        async with desk.storage.write():
            asking = asyncio.create_task(desk.admin.slash(desk.channel, command, **options))
            await announced(tmp_path)
        shown = await asking
        assert shown.ephemeral
        assert words.lower() in texts(shown.response).lower()
        assert kept(tmp_path) == []


async def test_a_button_of_the_setup_is_answered_late_with_a_panel_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        asked_to = await desk.admin.slash(desk.channel, "studii forget-key")
        assert asked_to.response is not None
        async with desk.storage.write():
            pressing = asyncio.create_task(desk.admin.click(asked_to.response, label="Remove key"))
            await announced(tmp_path)
        told = await pressing
        assert "The key is removed" in texts(told.response)
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
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
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
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
        assert [one.id for one in desk.channel.history()] == [card.id]
        assert kept(tmp_path) == []
        (tmp_path / "deferrals" / "1.deferred").write_bytes(b"of another key")
        await journal.finish(desk.bot, desk.services.jobs, desk.bot.catalog, desk.bot.readers)
        assert kept(tmp_path) == []


async def test_an_announcement_that_comes_too_late_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        desk.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062, times=None)
        forgotten, forget = asyncio.Event(), DeferralJournal.forget

        async def noted(journal: DeferralJournal, interaction: discord.Interaction) -> None:
            await forget(journal, interaction)
            forgotten.set()

        monkeypatch.setattr(DeferralJournal, "forget", noted)
        async with desk.storage.write():
            asking = asyncio.create_task(desk.maya.slash(desk.channel, "studio", prompt="A kite"))
            async with asyncio.timeout(PATIENCE):
                await forgotten.wait()
            assert kept(tmp_path) == []
        await asking
        (card,) = desk.channel.history()  # a message of its own
        assert "A kite" in texts(card)
        assert (await desk.job()).card_message_id == card.id
