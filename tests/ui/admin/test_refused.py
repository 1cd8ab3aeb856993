"""What admins enter or press that can't be done is refused with the reason, and changes nothing."""

from pathlib import Path

from bot.domain.guilds import Period
from bot.servers import settings
from bot.servers.notices import NoticeKind
from tests.cogs.studii.test_log import made, post_notice, set_log, told
from tests.support import spending
from tests.support.desk import open_desk, texts
from tests.support.posts import deliver, open_posts
from tests.support.settings import change
from tests.ui.account.test_asking_for_more import asked, request_message
from tests.ui.jobs.results.test_unknown_outcomes import in_the_log, lost


async def test_a_charge_that_is_no_number_settles_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await lost(desk)
        form = await desk.admin.click(await in_the_log(desk, job), label="Mark as charged")
        shown = await desk.admin.submit_modal(form, {"amount": "a few"})
        assert "Enter a whole number of credits, such as 8. Nothing was settled." in texts(shown)
        assert (await desk.job()).reserved == job.reserved


async def test_a_member_hears_that_the_server_was_granted_what_its_budget_lacked(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await spending.set_budget(desk.services, desk.guild.id, 1, Period.DAY)
        await asked(desk, desk.maya)
        await desk.admin.click(await request_message(desk), label="Grant 20")
        answer = (await desk.db.read(open_posts))[-1]
        await deliver(desk, answer, None, None)
        dm = desk.maya.user.dm_channel
        assert dm is not None
        said = f"<@{desk.maya.id}>, an admin of **Harbour Street Studio** granted the server 20 credits."
        assert f"{said} You can run **Studio** now." in texts(dm.history()[-1])


async def test_credit_requests_are_told_without_a_mention_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for state in ("to on.", "to off."):
            assert state in await change(desk, "setup", "in_place")
        assert not (await desk.services.db.read(settings.of, desk.guild.id)).requests_in_place


async def test_the_comparison_is_set_to_a_split_picture(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await change(desk, "results", "compare", "split")
        assert "to also a picture that is half before and half after." in shown


async def test_a_result_in_a_channel_that_the_bot_cannot_see_is_left_to_the_admin(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await set_log(desk, results=True)
        job = await made(desk)
        await post_notice(desk, await told(desk, NoticeKind.MADE, job.nonce, job_id=job.id), channel)
        desk.env.inject_error("DELETE", f"/channels/{job.channel_id}/messages/*", status=403, code=50001)
        refused = await desk.admin.click(channel.history()[-1], label="Delete result")
        assert "I can't delete it: I'm missing **View Channel** in its channel." in texts(refused)
