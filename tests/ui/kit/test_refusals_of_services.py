"""What comes too late, or can't be done, is refused with a sentence that reaches the person as it is."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bot.catalog import Catalog, SourceRule
from bot.errors import DatabaseAway, DatabaseFailed, NotAlone, Refused, StudiiBotError
from bot.features.moderation import Approver
from bot.jobs import queries
from bot.jobs.confirm import Repeated
from bot.jobs.models import JobState
from bot.reactions.events import cannot_post_words
from tests.support.desk import PNG, Desk, open_desk, texts
from tests.support.settings import control, opened

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
    ],
)
async def test_every_error_has_a_sentence_that_says_what_to_do(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: StudiiBotError, said: str
) -> None:
    assert await shown(desk, error, monkeypatch) == said


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
        structs.force_setattr(studio, "source", SourceRule.OPTIONAL)
        panel = await opened(desk, "photos")
        assert panel.response is not None
        fills = control(panel, "studii:fill:photos:autos")
        form = await desk.admin.click(panel.response, custom_id=fills)
        structs.force_setattr(studio, "source", SourceRule.NONE)
        auto = {"channel": [desk.channel], "tool": ["studio"], "inputs": "prompt=a boat", "most": "1"}
        await desk.admin.submit_modal(form, auto)
        assert "❌ Studio doesn't start from a photo. Nothing was changed." in texts(panel)


@pytest.mark.promise
async def test_a_channel_that_the_bot_does_not_see_or_that_is_not_named_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (guild,) = desk.bot.guilds
    assert cannot_post_words(guild, 5) == (
        "I couldn't post a result in <#5>: I can't see that channel. Nothing was charged."
    )
