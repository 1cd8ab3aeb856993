"""Who may use what: everything, until an admin or the photo's author says otherwise."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.catalog import Catalog
from bot.db import Database
from bot.errors import NotAllowed
from bot.jobs.models import UNKNOWN_MEMBER, JobRequest, MemberContext
from bot.languages import Language, speaking
from bot.servers import access
from bot.servers.access import EVERY_TOOL, REFUSES, UNKNOWN_AUTHOR, AccessList, AccessRules, Block, ensure_may
from bot.servers.settings import GuildSettings, Permit, PhotoScope
from tests.support.clock import NOON

GUILD, MEMBER, AUTHOR, DESIGNERS, CHANNEL, THREAD = 1, 3, 4, 50, 60, 61
TOOLS = Catalog.load()
PLAIN = MemberContext(roles=frozenset({1}), channels=frozenset({CHANNEL}))
MANAGER, MODERATOR = replace(PLAIN, manages=True), replace(PLAIN, moderates=True)
DESIGNER = replace(PLAIN, roles=frozenset({1, DESIGNERS}))
REQUEST = JobRequest(GUILD, CHANNEL, MEMBER, "studio", {"prompt": "x"})
PORTRAIT = replace(REQUEST, tool="career-photo", inputs={}, photo_author=AUTHOR)
EXTRA, PRIVATE = replace(REQUEST, inputs={"unheard_of": "x"}), replace(REQUEST, private=True)
THEIRS, OWN = replace(REQUEST, photo_author=AUTHOR), replace(REQUEST, photo_author=MEMBER)
UNKNOWN = replace(REQUEST, photo_author=UNKNOWN_MEMBER)
LIMITED, ALL_LIMITED = (
    {(AccessList.TOOL_ROLE, one): {DESIGNERS}, (AccessList.TOOL_CHANNEL, one): {THREAD}}
    for one in ("studio", EVERY_TOOL)
)
NOBODY = {"private_for": Permit.NOBODY}
MANAGERS = {"private_for": Permit.MANAGERS, "lists": {(AccessList.PRIVATE_ROLE, ""): {DESIGNERS}}}


@pytest.mark.parametrize(
    ("rules", "request_", "context", "refuses", "said"),
    [
        ({}, EXTRA, PLAIN, False, "`extra` is only for members with Manage Server. Try again without it."),
        ({}, EXTRA, MANAGER, False, ""),
        ({}, PORTRAIT, PLAIN, False, "In this server you can only use"),
        ({}, replace(PORTRAIT, photo_author=MEMBER), PLAIN, False, ""),
        ({}, replace(PORTRAIT, photo_author=None), PLAIN, False, ""),
        ({}, PORTRAIT, MODERATOR, False, ""),
        ({"portraits": PhotoScope.ANYONE}, PORTRAIT, PLAIN, False, ""),
        ({"photos": PhotoScope.OWN}, THEIRS, PLAIN, False, "In this server you can only use"),
        ({"photos": PhotoScope.OWN}, REQUEST, PLAIN, False, ""),
        ({}, THEIRS, replace(MANAGER, moderates=True), True, str(REFUSES)),
        ({}, OWN, PLAIN, True, ""),
        ({}, UNKNOWN, MODERATOR, False, str(UNKNOWN_AUTHOR)),
        ({"lists": LIMITED}, REQUEST, PLAIN, False, f"Studio is only for <@&{DESIGNERS}> in"),
        ({"lists": ALL_LIMITED}, REQUEST, PLAIN, False, "Studii is only for"),
        ({"lists": LIMITED}, REQUEST, DESIGNER, False, f"Studio only works in <#{THREAD}>."),
        ({"lists": ALL_LIMITED}, REQUEST, DESIGNER, False, "Studii only works in"),
        (
            {"lists": LIMITED | ALL_LIMITED},
            REQUEST,
            replace(DESIGNER, channels=frozenset({CHANNEL, THREAD})),
            False,
            "",
        ),
        (NOBODY, PRIVATE, MANAGER, False, "`private` is turned off"),
        ({**NOBODY, "lists": {(AccessList.PRIVATE_ROLE, ""): {1}}}, PRIVATE, PLAIN, False, ""),
        (
            MANAGERS,
            PRIVATE,
            PLAIN,
            False,
            "`private` is only for members with Manage Server or",
        ),
    ],
)
def test_what_is_not_allowed_is_refused_with_the_reason(
    rules: dict[str, Any], request_: JobRequest, context: MemberContext, refuses: bool, said: str
) -> None:
    told, lists = "", rules.get("lists", {})
    server = GuildSettings(GUILD, **{name: value for name, value in rules.items() if name != "lists"})
    try:
        asked = replace(request_, context=context)
        ensure_may(AccessRules(server, lists), asked, TOOLS.get(asked.tool), author_refuses=refuses)
    except NotAllowed as error:
        told = str(error)
    assert told.startswith(said)
    assert bool(told) is bool(said)


async def test_a_block_ends_at_its_time_or_never(db: Database) -> None:
    blocks = [Block(GUILD, MEMBER, until=NOON), Block(GUILD, AUTHOR, reason="Spam"), Block(2, DESIGNERS)]
    await db.write(lambda session: session.add_all(blocks))
    before = await db.read(access.of, GUILD, NOON - timedelta(seconds=1))
    assert set(before.blocked) == {MEMBER, AUTHOR}
    assert set((await db.read(access.of, GUILD, NOON)).blocked) == {AUTHOR}
    assert (await db.read(access.of, GUILD, NOON + timedelta(days=1000))).blocked[AUTHOR].reason == "Spam"


def test_a_refusal_names_the_tool_in_the_language_of_who_reads_it() -> None:
    """It is decided where no language is spoken yet, as for a tap."""
    rules = AccessRules(GuildSettings(GUILD), {(AccessList.TOOL_CHANNEL, "virtual-staging"): {THREAD}})
    denial = access.tool_denial(rules, PLAIN, TOOLS.get("virtual-staging"))
    with speaking(Language.GERMAN):
        assert "Virtuelles Staging" in str(denial)
