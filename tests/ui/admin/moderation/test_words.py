"""The word filter says what a rule does, and would have done."""

from bot.servers import access
from tests.support.desk import Desk
from tests.support.settings import change


async def sent_to_approval(desk: Desk, words: str) -> str:
    channel = desk.guild.create_text_channel("approvals")
    await desk.services.db.write(access.change_approvals, desk.guild.id, channel_id=channel.id)
    return await change(desk, "moderation words", "rules", words=words, then=["approve"])


async def test_a_rule_that_asks_moderators_is_told_from_one_that_refuses(desk: Desk) -> None:
    told = await sent_to_approval(desk, "kite")
    assert "Requests with ||kite|| wait for a moderator's approval from now on." in told
    assert "||kite|| (approval)" in told
