"""The word filter says what a rule does, and would have done."""

from pathlib import Path

from bot.servers import access
from tests.support.desk import Desk, open_desk
from tests.support.settings import change


async def sent_to_approval(desk: Desk, words: str) -> str:
    channel = desk.guild.create_text_channel("approvals")
    await desk.services.db.write(access.change_approvals, desk.guild.id, channel_id=channel.id)
    return await change(desk, "moderation words", "rules", words=words, then=["approve"])


async def test_a_rule_that_asks_moderators_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        told = await sent_to_approval(desk, "kite")
        assert "Requests with ||kite|| wait for a moderator's approval from now on." in told
        assert "||kite|| (approval)" in told


async def test_what_a_rule_for_approval_would_hold_up_is_said(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        told = await sent_to_approval(desk, "kite")
        assert "It would have sent 1 of the server's last 1 job to approval." in told
        told = await sent_to_approval(desk, "a")
        assert "⚠️ That's one letter or a very common word, so nearly every prompt waits." in told


async def test_approval_for_word_rules_alone_says_so(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = desk.guild.create_text_channel("approvals")
        shown = await change(desk, "moderation approvals", "channel_id", channel)
        assert "Requests wait only if the word filter sends them here." in shown


async def test_that_refusals_pause_nobody_is_said(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await change(desk, "moderation words", "refusals", value="0")
        assert "✅ **Refusals that pause a member**: changed from 5 to never." in shown
