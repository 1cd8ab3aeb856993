"""What comes too late, or can't be done, is refused with a sentence that reaches the person as it is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from bot.catalog import Catalog, SourceRule
from bot.credits import requests
from bot.credits.limits import AllowanceScope, StartRate
from bot.credits.prices import Estimate
from bot.credits.requests import CreditRequest, RequestState
from bot.credits.usage import write_ledger
from bot.domain.guilds import Period, Plan
from bot.errors import DatabaseAway, DatabaseFailed, NotAlone, Refused, StudiiBotError
from bot.features import moderation, styles
from bot.features.moderation import Approver
from bot.features.styles import MAX_STYLE_ROLES, Style, inputs_of, tool_of
from bot.features.words import MAX_RULE_CHARACTERS
from bot.jobs import actions, queries
from bot.jobs.confirm import Repeated
from bot.jobs.decide import PricesRose
from bot.jobs.models import Approval, JobState
from bot.reactions.channel_permissions import cannot_post_words
from bot.studii import KeyRefused
from cogs.reactions.commands import _place  # pyright: ignore[reportPrivateUsage]
from tests.support import spending
from tests.support.desk import KEY, PNG, Desk, open_desk, texts
from tests.support.pseudo.letters import read
from tests.support.services import rule

SUBMITTED = (JobState.WAITING, JobState.SUBMITTING)
DONE = (*SUBMITTED, JobState.RUNNING, JobState.SUCCEEDED)
ROOM = {"image": ("room.png", PNG)}
MODERATOR = Approver(77, frozenset(), manages=True, moderates=True)


async def shown(desk: Desk, refused: BaseException, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a member reads if this is raised while their command is answered."""

    def raising(*_: object) -> None:
        raise refused

    with monkeypatch.context() as changed:
        changed.setattr(queries, "page", raising)
        answer = await desk.maya.slash(desk.channel, "credits")
    assert answer.ephemeral
    return texts(answer)


async def read_by(desk: Desk, what: Awaitable[object], monkeypatch: pytest.MonkeyPatch) -> str:
    with pytest.raises(StudiiBotError) as refused:
        await what
    return await shown(desk, refused.value, monkeypatch)


async def a_job(desk: Desk, *states: JobState, **changes: Any) -> str:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    return (await desk.move(await desk.job(), *states, **changes)).id


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused(), "That isn't possible here."),
        (Repeated(), "That's already running, or done."),
        (DatabaseFailed(), "The bot can't use its database right now. Try again in a few minutes."),
        (DatabaseAway(), "The bot can't reach its database right now. Try again in a few minutes."),
        (NotAlone(), "The bot is restarting. Try again in a moment."),
        (StudiiBotError(), "Something went wrong in the bot. Try again."),
        (
            PricesRose(Estimate(8, learned=False)),
            "Each photo costs about 8 credits now. That's more than the price you saw, so none was started. "
            "Start them again if you agree. Nothing was charged.",
        ),
    ],
)
async def test_every_error_has_a_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: StudiiBotError, said: str
) -> None:
    async with open_desk(tmp_path) as desk:
        assert await shown(desk, error, monkeypatch) == said


async def test_a_result_is_posted_once_and_for_its_own_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        job = await a_job(desk, *DONE)

        def post(user_id: int, channel_id: int) -> Awaitable[object]:
            return desk.services.db.write(actions.post_here, job, user_id, channel_id, desk.clock.now())

        told = await read_by(desk, post(desk.tom.id, desk.channel.id), monkeypatch)
        assert told == "Only the person who asked for this can post it."
        told = await read_by(desk, post(desk.maya.id, desk.channel.id), monkeypatch)
        assert told.startswith("That result was already posted, or has been deleted. Run it again")


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (
            (*SUBMITTED, JobState.RUNNING),
            "Studii's answer has arrived, so there's nothing to settle any more.",
        ),
        ((JobState.WAITING,), "That job doesn't need to be settled."),
        ((JobState.FAILED,), "That was already settled: nothing was charged. Nothing was changed."),
    ],
)
async def test_what_is_not_unknown_any_more_is_not_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states: tuple[JobState, ...], said: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        job = await a_job(desk, *states)
        assert await read_by(desk, rule(desk.services, desk.guild.id, job, None), monkeypatch) == said
        told = await read_by(desk, rule(desk.services, desk.guild.id, job, 10**7), monkeypatch)
        assert told == "The charge must be a whole number from 0 to 1,000,000. Nothing was settled."


async def test_a_moderator_decides_only_on_a_result_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        db, now = desk.services.db, desk.clock.now()
        result = desk.guild.id, await a_job(desk, JobState.WAITING), MODERATOR, now
        told = await read_by(desk, db.write(moderation.approve_result, *result, left=False), monkeypatch)
        assert told == "That job has no result to decide on."
        reviewed = (*SUBMITTED, JobState.RUNNING, JobState.REVIEWING, JobState.WITHHELD)
        job = await a_job(desk, *reviewed, result_approval=Approval.WANTED)
        result = desk.guild.id, job, MODERATOR, now
        told = await read_by(desk, db.write(moderation.release_result, *result), monkeypatch)
        assert told == "That result isn't kept any more, so there's nothing to post."


async def test_an_admin_who_answers_a_request_too_late_reads_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        db, admin = desk.services.db, desk.admin.id
        await spending.set_limits(desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBERS, 0, 3))

        def ask(price: int) -> Awaitable[CreditRequest]:
            here, now = (desk.guild.id, desk.maya.id, (), desk.channel.id), desk.clock.now()
            return db.write(requests.ask, *here, "studio", price, now)

        async def late(answer: RequestState | None, hours: int = 0) -> str:
            asked = await ask(8)
            if answer is not None:
                await db.write(requests.answer, asked.id, answer, admin, desk.clock.now())
            desk.clock.advance(3600 * hours)
            granted = (asked.id, RequestState.GRANTED, admin, desk.clock.now())
            return await read_by(desk, db.write(requests.answer, *granted), monkeypatch)

        assert await late(RequestState.DECLINED) == f"<@{admin}> has already declined this."
        assert (
            await late(RequestState.LEFT) == "This member isn't in the server any more. Nothing was granted."
        )
        expired = "This request has expired. `/studii grant` still adds credits."
        assert await late(None, hours=25) == expired
        assert await late(RequestState.GRANTED) == f"<@{admin}> has already granted this."
        told = await read_by(desk, db.read(requests.get, "0" * 16), monkeypatch)
        assert told == "There's no such request here. Nothing was granted."
        told = await read_by(desk, ask(10**7), monkeypatch)
        assert told == "That price is too high to ask for."


async def test_figures_that_discord_would_not_send_are_refused_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        guild, services = desk.guild.id, desk.services
        everyone = AllowanceScope.MEMBERS
        for what, said in (
            (
                spending.set_limits(services, guild, allowance=(everyone, 0, -1)),
                "An allowance must be a whole number from 0 to",
            ),
            (spending.set_limits(services, guild, at_once=101), "Enter a number of jobs from 1 to 100."),
            (
                spending.set_limits(services, guild, rate=StartRate(0, 60)),
                "Enter 1 to 100 jobs in at most 10,080 minutes.",
            ),
            (
                spending.grant(services, guild, None, 10**7),
                "You can grant or take back at most 1,000,000 credits.",
            ),
            (
                spending.set_budget(services, guild, None, None, confirm_above=-1),
                "`confirm` must be from 0 to 1,000,000 credits.",
            ),
            (
                desk.forbid("a" * (MAX_RULE_CHARACTERS + 1)),
                f"A rule can have at most {MAX_RULE_CHARACTERS} characters.",
            ),
        ):
            told = await read_by(desk, what, monkeypatch)
            assert told.startswith(said)
            assert told.endswith("Nothing was changed.")


async def test_a_style_that_does_not_fit_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(tmp_path) as desk:
        guild, maya, catalog = desk.guild.id, desk.maya.id, desk.bot.catalog
        studio, staging = catalog.get("studio"), catalog.get("virtual-staging")
        style = Style(
            guild_id=guild,
            user_id=maya,
            name="Oils",
            tool="studio",
            inputs={"prompt": "{text}, in oils"},
            created_at=desk.clock.now(),
        )

        async def refused(attempt: Callable[[], object]) -> str:
            with pytest.raises(Refused) as why:
                attempt()
            return await shown(desk, why.value, monkeypatch)

        gone = "The style “Oils” is for a tool that isn't here any more. Nothing was charged."
        assert await refused(lambda: tool_of(Catalog({}), style)) == gone
        other = "The style “Oils” is for Studio. Use it with `/studio`. Nothing was charged."
        assert await refused(lambda: tool_of(catalog, style, staging)) == other
        wordless = "The style “Oils” needs your own words: type them as `prompt`. Nothing was charged."
        assert await refused(lambda: inputs_of(style, studio, {})) == wordless
        save = desk.save_style(desk.maya, "n" * 51, studio, {"prompt": "x"})
        told = await read_by(desk, save, monkeypatch)
        assert told == "A style's name can have at most 50 characters. Nothing was saved."


async def test_a_style_is_for_so_many_roles_at_most_and_taken_only_from_its_own(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        new = {"name": "Oak", "tool": "virtual-staging", "inputs": "style=oak"}
        await desk.admin.slash(desk.channel, "studii styles add", **new)
        role, other = desk.guild.create_role("Designers"), desk.guild.create_role("Others")
        one = {"name": "Oak", "role": role}
        told = texts(await desk.admin.slash(desk.channel, "studii styles remove", **one))
        assert told == "That style isn't limited to this role. Nothing was changed."
        for number in range(MAX_STYLE_ROLES):
            await desk.services.db.write(styles.set_role, desk.guild.id, "Oak", other.id + number, may=True)
        told = texts(await desk.admin.slash(desk.channel, "studii styles add", **one))
        assert told == "A style can be for at most 20 roles. Nothing was changed."


async def test_a_command_that_discord_still_has_as_it_was_says_what_the_tool_takes_now(
    tmp_path: Path,
) -> None:
    known = Catalog.load()
    studio = structs.replace(known.get("studio"))
    async with open_desk(tmp_path, catalog=Catalog({**known.tools, "studio": studio})) as desk:
        await desk.set_key()
        for source, photo, said in (
            (SourceRule.REQUIRED, {}, "Studio needs a photo. Attach one as `image` and try again."),
            (SourceRule.NONE, ROOM, "Studio doesn't take a photo. Leave out `image` and try again."),
        ):
            structs.force_setattr(studio, "source", source)
            told = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **photo)
            assert texts(told) == said
        auto = {"tool": "studio", "inputs": "prompt=a boat"}
        told = await desk.admin.slash(desk.channel, "studii photos auto", **auto)
        assert texts(told) == "Studio doesn't start from a photo. Nothing was changed."


async def test_a_new_key_that_studii_refuses_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check_key(_: str) -> None:
        raise KeyRefused

    async with open_desk(tmp_path) as desk:
        monkeypatch.setattr(desk.services.keys, "_check", check_key)
        told = await read_by(
            desk, desk.services.keys.set_key(desk.guild.id, KEY, Plan.PRO, None), monkeypatch
        )
        assert told.startswith("Studii doesn't accept this API key. Check that you copied all of it")
        assert told.endswith("Nothing was changed.")


async def test_a_ledger_that_discord_takes_no_file_of_is_to_be_asked_for_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_pages() -> AsyncIterator[list[Any]]:
        yield []

    async with open_desk(tmp_path) as desk:
        ledger = write_ledger(no_pages(), ZoneInfo("UTC"), tmp_path, 10, state_words=str)
        told = await read_by(desk, ledger, monkeypatch)
        assert told == "The ledger is too large for a Discord file. Choose a shorter period."


@pytest.mark.promise
async def test_a_channel_that_the_bot_does_not_see_or_that_is_not_named_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(tmp_path) as desk:
        (guild,) = desk.bot.guilds
        assert read(cannot_post_words(guild, 5)) == (
            "I couldn't post a result in <#5>: I can't see that channel. Nothing was charged."
        )
        with pytest.raises(Refused) as refused:
            _place(cast("Any", SimpleNamespace(channel_id=None)), None)
        told = await shown(desk, refused.value, monkeypatch)
        assert told == "This only works in a channel. Name one under `channel`."


@pytest.mark.parametrize(
    ("period", "for_it"), [(Period.WEEK, "for this week"), (Period.TOTAL, "for the one-off total")]
)
async def test_a_grant_names_the_period_that_it_is_for(tmp_path: Path, period: Period, for_it: str) -> None:
    async with open_desk(tmp_path) as desk:
        await spending.set_budget(desk.services, desk.guild.id, 100, period)
        told = texts(await desk.admin.slash(desk.channel, "studii grant", credits=5))
        assert f"Granted 5 credits {for_it}." in told
