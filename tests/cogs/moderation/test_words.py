"""/studii words, and what members and moderators see when a rule refuses a request."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.domain import JobState, Notice, NoticeKind, Posted
from bot.domain.words import MAX_WORD_RULES
from bot.services.moderation.approvals import ApprovalChanges
from tests.reactions.taps import ROOM, jobs_of, post
from tests.support.desk import PNG, Desk, labelled, open_desk, texts
from tests.ui.jobs.test_edit import edit_id, refused_inputs

REFUSED = "A word rule in this server doesn't allow that. Change the wording and try again"


async def forbid(desk: Desk, *words: str) -> str:
    """An admin adds rules; the last answer is returned."""
    said = ""
    for one in words:
        said = texts(await desk.admin.slash(desk.channel, "studii words add", words=one))
    return said


async def notices(desk: Desk) -> list[dict[str, str | int | None]]:
    async with desk.storage.read() as transaction:
        pending = await transaction.notices.pending(10)
    return [dict(one.details) for one in pending if one.kind is NoticeKind.WORDS]


async def kept(desk: Desk) -> str:
    """Return the details of all notices, as the database has them."""
    async with desk.storage.read() as transaction:
        session = transaction.notices._session  # pyright: ignore[reportPrivateUsage] # no part of the bot asks
        rows = await session.execute(text("SELECT details FROM notices"))
        return str(rows.all())


async def last_notice(desk: Desk) -> Notice:
    async with desk.storage.read() as transaction:
        return (await transaction.notices.pending(10))[-1]


async def posted(desk: Desk) -> str:
    """Post the last notice in a log channel, and return what is read there."""
    log = desk.guild.create_text_channel("log")
    await desk.delivery.post_notice(await last_notice(desk), log.id, None)
    return texts(log.history()[-1])


async def test_rules_are_added_shown_and_removed(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = texts(await desk.admin.slash(desk.channel, "studii words show"))
        assert "There are no word rules. `/studii words add` makes one." in shown
        assert "Requests with ||red kite|| are refused from now on." in await forbid(
            desk, "Blimp*", "red kite"
        )
        shown = texts(await desk.admin.slash(desk.channel, "studii words show"))
        assert "||Blimp\\*|| · ||red kite||" in shown
        assert f"2 rules of {MAX_WORD_RULES}" in shown
        unlogged = "There's no log channel, so moderators don't see refused requests."
        assert unlogged in shown
        assert unlogged in await forbid(desk, "red kite")
        log = desk.guild.create_text_channel("log")
        await desk.admin.slash(desk.channel, "studii log", channel=log)
        assert unlogged not in texts(await desk.admin.slash(desk.channel, "studii words show"))
        assert unlogged not in await forbid(desk, "red kite")
        removed = await desk.admin.slash(desk.channel, "studii words remove", words="RED kite")
        assert "Requests with ||red kite|| are allowed again." in texts(removed).replace("RED", "red")
        unknown = await desk.admin.slash(desk.channel, "studii words remove", words="red kite")
        assert "There's no rule “red kite”" in texts(unknown)
        assert [rule.words for rule in await desk.services.words.rules(desk.guild.id)] == ["Blimp*"]


async def test_the_same_rule_is_kept_once_and_their_number_is_bounded(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for number in range(MAX_WORD_RULES):
            await desk.services.words.add(desk.guild.id, f"blimp{number}")
        assert f"The limit is {MAX_WORD_RULES} rules." in await forbid(desk, "kite")
        assert "Rule unchanged" in await forbid(desk, "BLIMP7")
        assert len(await desk.services.words.rules(desk.guild.id)) == MAX_WORD_RULES


async def test_a_rule_that_exists_is_told_from_one_that_is_added_or_changed(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.services.approvals.change(desk.guild.id, ApprovalChanges(channel_id=desk.channel.id))

        async def add(then: str) -> str:
            return texts(await desk.admin.slash(desk.channel, "studii words add", words="kite", then=then))

        assert "Rule added\nRequests with ||kite|| are refused from now on." in await add("refuse")
        assert "Rule unchanged\nThis rule exists: requests with ||kite|| are already refused." in await add(
            "refuse"
        )
        changed = "Rule changed\nRequests with ||kite|| wait for a moderator's approval from now on."
        assert changed in await add("approve")
        unchanged = "This rule exists: requests with ||kite|| already wait for a moderator's approval."
        assert unchanged in await add("approve")


async def test_a_rule_that_would_catch_very_much_is_added_with_a_warning(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        for prompt in ("A harbour", "Harbour lights", "The harbour", "An old harbour", "harbour", "A kite"):
            await desk.maya.slash(desk.channel, "studio", prompt=prompt)
        assert "it will refuse nearly every prompt" in await forbid(desk, "a")
        assert "⚠️ It would have refused 5 of the server's last 6 jobs." in await forbid(desk, "harbour")
        assert "It also refuses values that the bot itself suggests: `modern`." in await forbid(
            desk, "modern"
        )
        assert "Remove it with" not in await forbid(desk, "blimp")
        assert "at least one letter or digit" in await forbid(desk, "***")


async def test_a_refused_prompt_is_given_back_and_moderators_see_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp*")
        refused = await desk.maya.slash(desk.channel, "studio", prompt="A red BLÍMPS @everyone")
        assert refused.ephemeral
        assert REFUSED in texts(refused)
        assert "Nothing was charged. You wrote: “A red BLÍMPS @\u200beveryone”" in texts(refused)
        assert await jobs_of(desk) == []
        (told,) = await notices(desk)
        assert told["user"] == desk.maya.id
        assert told["text"] == "A red BLÍMPS @everyone"
        shown = await posted(desk)
        assert f"<@{desk.maya.id}> asked for **Studio** in <#{desk.channel.id}>." in shown
        assert "> ||A red BLÍMPS @\u200beveryone||" in shown
        assert "Rule: ||blimp\\*||" in shown
        notice = await last_notice(desk)
        async with desk.storage.write() as transaction:
            await transaction.notices.close(notice.id, desk.clock.now(), 5)
            # What was quoted is erased; the number is not used again, or Discord took the next for this one.
            await transaction.notices.add(
                desk.guild.id, NoticeKind.BUDGET_80, "next", at=desk.clock.now(), details={"spent": 1}
            )
            (following,) = await transaction.notices.pending(10)
        assert following.id != notice.id
        assert "BL" not in await kept(desk)
        assert not (await desk.maya.slash(desk.channel, "studio", prompt="A red kite")).ephemeral


async def test_rules_apply_to_extra_styles_and_edited_forms(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await refused_inputs(desk, style="rustic")
        told = desk.channel.history()[-1]
        await forbid(desk, "gothic", "luxury", "blimp")
        staged = await desk.maya.slash(
            desk.channel, "virtual-staging", image=("room.png", PNG), style="neo gothic"
        )
        assert REFUSED in texts(staged)
        for extra in ("seed=blimp", "blimp=1"):
            sent = await desk.admin.slash(desk.channel, "photo-restore", image=("room.png", PNG), extra=extra)
            assert REFUSED in texts(sent)
        form = await desk.maya.click(told, custom_id=edit_id(told))
        answer = await desk.maya.submit_modal(form, {"style": "luxury", "room": "office"})
        assert REFUSED in texts(answer)
        assert [one.id for one in await jobs_of(desk)] == [job.id]
        assert len(await notices(desk)) == 4


async def test_a_job_from_before_the_rule_is_not_run_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red blimp")
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        done = await desk.move(await desk.job(), *states, output_kind="image")
        await desk.settle(done, 8)
        await desk.delivery.announce(done, None)
        await forbid(desk, "blimp")
        result = desk.channel.history()[-1]
        again = await desk.tom.click(result, custom_id=labelled(result, "Run again"))
        assert REFUSED in texts(again)
        assert len(await jobs_of(desk)) == 1


async def test_a_preset_of_a_photo_channel_that_meets_a_rule_starts_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.admin.slash(
            desk.channel, "studii photos auto", tool="virtual-staging", inputs="style=gothic"
        )
        await forbid(desk, "gothic")
        await desk.services.refusals.set_pause(desk.guild.id, 2, None)
        for _ in range(3):
            await post(desk, desk.tom, ROOM)
            await desk.env.settle()
        assert await jobs_of(desk) == []
        # An admin chose the words: the poster isn't paused for them, and the log channel hears of it once.
        assert (await desk.services.access.rules(desk.guild.id)).blocked == {}
        assert len(await notices(desk)) == 1
        shown = await posted(desk)
        assert f"**Virtual staging** doesn't start on photos in <#{desk.channel.id}>" in shown
        assert "> ||gothic||" in shown
        assert f"<@{desk.tom.id}>" not in shown
        assert "`/studii photos`" in shown
        desk.clock.advance(86_400)
        await post(desk, desk.tom, ROOM)
        await desk.env.settle()
        assert len(await notices(desk)) == 2


async def test_what_a_member_prefers_counts_as_theirs_in_a_photo_channel(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.admin.slash(desk.channel, "studii photos auto", tool="virtual-staging")
        tool = desk.bot.catalog.get("virtual-staging")
        await desk.services.defaults.set(desk.guild.id, desk.tom.id, tool, {"style": "gothic"})
        await forbid(desk, "gothic")
        await desk.services.refusals.set_pause(desk.guild.id, 2, None)
        for _ in range(2):
            await post(desk, desk.tom, ROOM)
            await desk.env.settle()
        assert await jobs_of(desk) == []
        assert desk.tom.id in (await desk.services.access.rules(desk.guild.id)).blocked
        assert f"<@{desk.tom.id}> asked for **Virtual staging**" in await posted(desk)


async def test_what_the_catalogue_sends_on_its_own_meets_no_rule(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "standard", "image", "text")
        assert not (await desk.maya.slash(desk.channel, "studio", prompt="A red kite")).ephemeral


async def test_a_refused_prompt_that_was_not_posted_yet_is_forgotten_with_its_member(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp")
        for member in (desk.maya, desk.tom):
            await member.slash(desk.channel, "studio", prompt="A red blimp")
        await desk.services.privacy.forget_member(desk.maya.id)
        assert [one["user"] for one in await notices(desk)] == [desk.tom.id]


async def test_what_was_refused_in_an_age_restricted_channel_is_not_shown_in_the_log(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp")
        known: Any = desk.bot.get_channel(desk.channel.id)
        known.nsfw = True  # the simulation knows no such channels
        await desk.maya.slash(desk.channel, "studio", prompt="A red blimp")
        (told,) = await notices(desk)
        assert told["text"] is None


async def test_after_several_refusals_in_a_day_a_member_is_paused_for_a_time(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp")
        shown = texts(await desk.admin.slash(desk.channel, "studii words pause", refusals=2, hours=3))
        assert "2 refusals within a day pause a member for 3 hours." in shown
        first = texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))
        assert "You can't start jobs here until" not in first
        until = f"<t:{int(desk.clock.now().timestamp()) + 3 * 3600}:f>"
        second = texts(await desk.maya.slash(desk.channel, "studio", prompt="Another blimp"))
        assert f"You can't start jobs here until {until}, because word rules refused many" in second
        assert "A word rule in this server doesn't allow that. Nothing was charged." in second
        assert "try again" not in second
        assert "You wrote: “Another blimp”" in second
        assert f"They can't start jobs until {until}." in await posted(desk)
        harmless = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        assert f"You can't start jobs here until {until}" in texts(harmless)
        access = texts(await desk.admin.slash(desk.channel, "studii access"))
        assert f"- <@{desk.maya.id}> until {until}, after many refusals by word rules" in access
        assert not (await desk.tom.slash(desk.channel, "studio", prompt="A red kite")).ephemeral
        desk.clock.advance(3 * 3600 + 1)
        assert not (await desk.maya.slash(desk.channel, "studio", prompt="A red kite")).ephemeral
        assert "No one is blocked." in texts(await desk.admin.slash(desk.channel, "studii access"))


async def test_refusals_of_the_day_before_do_not_count_and_admins_are_not_paused(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp")
        await desk.services.refusals.set_pause(desk.guild.id, 2, None)
        for _ in range(3):
            await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
            await desk.admin.slash(desk.channel, "studio", prompt="A blimp")
            desk.clock.advance(86_401)
        assert (await desk.services.access.rules(desk.guild.id)).blocked == {}
        await desk.services.refusals.set_pause(desk.guild.id, 0, None)
        for _ in range(3):
            await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
        assert (await desk.services.access.rules(desk.guild.id)).blocked == {}


async def test_a_pause_is_ended_by_an_admin_and_the_count_begins_anew(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await forbid(desk, "blimp")
        await desk.services.refusals.set_pause(desk.guild.id, 2, 3)
        for _ in range(2):
            await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
        await desk.admin.slash(desk.channel, "studii access", unblock=desk.maya)
        assert not (await desk.maya.slash(desk.channel, "studio", prompt="A red kite")).ephemeral
        again = texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))
        assert "You can't start jobs" not in again


async def test_who_is_blocked_reads_why_and_until_when(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        block = {"block": desk.maya, "reason": "Posting spam <@&1>", "hours": 2}
        shown = texts(await desk.admin.slash(desk.channel, "studii access", **block))
        until = f"<t:{int(desk.clock.now().timestamp()) + 7200}:f>"
        assert f"- <@{desk.maya.id}> until {until}: Posting spam \\<@\u200b&1>" in shown
        assert "They get a direct message." in shown
        notice = await last_notice(desk)
        assert await desk.delivery.post_notice(notice, None, None)
        dm = desk.maya.user.dm_channel
        assert dm is not None
        told = texts(dm.history()[-1])
        assert told.startswith(f"You are blocked from using Studii in this server until {until}.")
        assert told.endswith("\n-# Server: Harbour Street Studio")
        assert "The reason: “Posting spam \\<@\u200b&1>”." in told
        assert "Jobs already started will finish." in told
        async with desk.storage.write() as transaction:
            await transaction.notices.close(notice.id, desk.clock.now(), None)
        assert "spam" not in await kept(desk)
        # Whose DMs are closed is told when they try, as below; nobody else reads it.
        desk.close_dms()
        await desk.admin.slash(desk.channel, "studii access", block=desk.tom)
        seen = len(desk.channel.history())
        assert await desk.delivery.post_notice(await last_notice(desk), None, None) == Posted(None)
        assert len(desk.channel.history()) == seen
        refused = texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
        assert f"You are blocked from using Studii in this server until {until}." in refused
        assert "The reason: “Posting spam \\<@\u200b&1>”." in refused
        assert "You are blocked" in texts(await desk.maya.slash(desk.channel, "tools"))
        lonely = await desk.admin.slash(desk.channel, "studii access", hours=2)
        assert "`reason` and `hours` are for `block`" in texts(lonely)
        desk.clock.advance(7201)
        assert not (await desk.maya.slash(desk.channel, "studio", prompt="A red kite")).ephemeral
