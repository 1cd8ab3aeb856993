"""Who may use what: everything, until an admin or the photo's author says otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.catalog import Catalog
from bot.db import Database
from bot.errors import NotAllowed
from bot.jobs.models import UNKNOWN_MEMBER, JobRequest, MemberContext
from bot.servers import access
from bot.servers.access import (
    EVERY_TOOL,
    REFUSES,
    UNKNOWN_AUTHOR,
    AccessList,
    AccessRules,
    Block,
    Permit,
    PhotoScope,
    Restriction,
    ToolRule,
    ensure_may,
)
from tests.support.clock import NOON
from tests.support.settings import limit_tool, restrict

GUILD, MEMBER, AUTHOR, DESIGNERS, CHANNEL, THREAD = 1, 3, 4, 50, 60, 61
TOOLS = Catalog.load()
PLAIN = MemberContext(roles=frozenset({1}), channels=frozenset({CHANNEL}))
REQUEST = JobRequest(GUILD, CHANNEL, MEMBER, "studio", {"prompt": "x"}, context=PLAIN)
PORTRAIT = replace(REQUEST, tool="career-photo", inputs={}, photo_author=AUTHOR)


def said(
    rules: AccessRules,
    request: JobRequest = REQUEST,
    context: MemberContext = PLAIN,
    *,
    refuses: bool = False,
) -> str:
    try:
        request = replace(request, context=context)
        ensure_may(rules, request, TOOLS.get(request.tool), author_refuses=refuses)
    except NotAllowed as error:
        return str(error)
    return ""


def test_extra_is_for_managers_until_an_admin_says_otherwise() -> None:
    request = replace(REQUEST, inputs={"unheard_of": "x"})
    assert said(AccessRules(), request).startswith(
        "`extra` is only for members with Manage Server. Try again without it."
    )
    assert said(AccessRules(), request, replace(PLAIN, manages=True)) == ""


def test_a_portrait_is_ones_own_unless_one_moderates() -> None:
    assert "on your own photos" in said(AccessRules(), PORTRAIT)
    assert said(AccessRules(), replace(PORTRAIT, photo_author=MEMBER)) == ""
    assert said(AccessRules(), replace(PORTRAIT, photo_author=None)) == ""
    assert said(AccessRules(), PORTRAIT, replace(PLAIN, moderates=True)) == ""
    assert said(AccessRules(portraits=PhotoScope.ANYONE), PORTRAIT) == ""


def test_an_admin_can_allow_own_photos_only() -> None:
    rules = AccessRules(photos=PhotoScope.OWN)
    assert "Someone else posted that one" in said(rules, replace(REQUEST, photo_author=AUTHOR))
    assert said(rules) == ""


def test_a_members_refusal_holds_against_everyone_but_themselves() -> None:
    all_powers = replace(PLAIN, manages=True, moderates=True)
    assert said(AccessRules(), replace(REQUEST, photo_author=AUTHOR), all_powers, refuses=True) == str(
        REFUSES
    )
    assert said(AccessRules(), replace(REQUEST, photo_author=MEMBER), refuses=True) == ""


def test_a_photo_of_an_unknown_author_is_nobodys() -> None:
    unknown = replace(REQUEST, photo_author=UNKNOWN_MEMBER)
    assert said(AccessRules(), unknown, replace(PLAIN, moderates=True)) == str(UNKNOWN_AUTHOR)


async def test_a_block_ends_at_its_time_or_never(db: Database) -> None:
    blocks = [Block(GUILD, MEMBER, until=NOON), Block(GUILD, AUTHOR, reason="Spam"), Block(2, DESIGNERS)]
    await db.write(lambda session: session.add_all(blocks))
    before = await db.read(access.of, GUILD, NOON - timedelta(seconds=1))
    assert set(before.blocked) == {MEMBER, AUTHOR}
    assert set((await db.read(access.of, GUILD, NOON)).blocked) == {AUTHOR}
    assert (await db.read(access.of, GUILD, NOON + timedelta(days=1000))).blocked[AUTHOR].reason == "Spam"


async def test_rules_are_each_servers_own(db: Database) -> None:
    await db.write(limit_tool, GUILD, TOOLS.get("studio"), role_id=DESIGNERS, channel_id=CHANNEL)
    await db.write(limit_tool, GUILD, None, role_id=None, channel_id=THREAD)
    await db.write(restrict, GUILD, "extra", Permit.NOBODY, [5, 6])
    await db.write(access.change, GUILD, portraits=PhotoScope.ANYONE, approval_channel=9)
    await db.write(access.add, GUILD, AccessList.APPROVAL_TOOL, 0, "studio")
    found = await db.read(access.of_servers, [GUILD, 2], NOON)
    assert found[2] == AccessRules()
    assert found[GUILD].tools == {
        EVERY_TOOL: ToolRule(channels=frozenset({THREAD})),
        "studio": ToolRule(frozenset({DESIGNERS}), frozenset({CHANNEL})),
    }
    assert found[GUILD].extra == Restriction(Permit.NOBODY, frozenset({5, 6}))
    assert (found[GUILD].photos, found[GUILD].portraits) == (PhotoScope.ANYONE, PhotoScope.ANYONE)
    assert (found[GUILD].approval.channel_id, found[GUILD].approval.tools) == (9, frozenset({"studio"}))
    assert await db.read(access.approvals, GUILD) == found[GUILD].approval


@pytest.mark.parametrize("tool", ["studio", EVERY_TOOL])
def test_a_tool_can_be_for_some_roles_and_channels(tool: str) -> None:
    rules = AccessRules(tools={tool: ToolRule(frozenset({DESIGNERS}), frozenset({THREAD}))})
    name = "Studio" if tool == "studio" else "Studii"
    designer = replace(PLAIN, roles=frozenset({1, DESIGNERS}))
    assert said(rules).startswith(f"{name} is only for <@&{DESIGNERS}> in this server.")
    assert said(rules, REQUEST, designer).startswith(f"{name} only works in <#{THREAD}>.")
    assert said(rules, REQUEST, replace(designer, channels=frozenset({CHANNEL, THREAD}))) == ""


def test_options_can_be_for_roles_or_for_nobody() -> None:
    request = replace(REQUEST, private=True)
    nobody = AccessRules(private=Restriction(Permit.NOBODY))
    assert said(nobody, request, replace(PLAIN, manages=True)).startswith("`private` is turned off")
    some = AccessRules(private=Restriction(Permit.NOBODY, frozenset({1})))
    assert said(some, request) == ""
    managers = AccessRules(private=Restriction(Permit.MANAGERS, frozenset({DESIGNERS})))
    assert f"only for members with Manage Server or the role <@&{DESIGNERS}>." in said(managers, request)
