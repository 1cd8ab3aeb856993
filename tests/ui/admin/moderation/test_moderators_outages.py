"""What moderators read when Discord doesn't answer, or when a decision takes long."""

from bot.jobs.models import JobState
from tests.support.desk import Desk, texts
from tests.ui.admin.moderation.waiting import approvals, asked, moderator


async def test_nothing_is_decided_while_discord_does_not_say_who_is_there(desk: Desk) -> None:
    channel = await approvals(desk)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    message = await asked(desk, channel)
    known = desk.bot.get_guild(desk.guild.id)
    assert known is not None
    member = known.get_member(desk.maya.id)
    if member is not None:
        known._remove_member(member)  # pyright: ignore[reportPrivateUsage]
    desk.env.inject_error("GET", f"/guilds/{desk.guild.id}/members/*", status=503, times=None)
    told = await moderator(desk).click(message, label="Approve")
    assert "The bot can't reach Discord right now." in texts(told)
    assert "Nothing was decided." in texts(told)
    assert (await desk.job()).state is JobState.PENDING
