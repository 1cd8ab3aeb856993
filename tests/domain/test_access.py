"""Who may use what: everything, until an admin or the photo's author says otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.access import (
    EVERY_TOOL,
    REFUSES,
    AccessRequest,
    AccessRules,
    Block,
    MemberContext,
    Permit,
    PhotoScope,
    Restriction,
    ToolRule,
    denial,
)
from tests.support.clock import NOON

MEMBER, AUTHOR, DESIGNERS, CHANNEL, THREAD = 3, 4, 50, 60, 61
REQUEST = AccessRequest(
    MEMBER, "studio", "Studio", portrait=False, photo_author=None, private=False, extra=False
)
PORTRAIT = replace(REQUEST, tool="career-photo", title="Career portrait", portrait=True, photo_author=AUTHOR)
PLAIN = MemberContext(roles=frozenset({1}), channels=frozenset({CHANNEL}))


def said(
    rules: AccessRules,
    request: AccessRequest = REQUEST,
    context: MemberContext = PLAIN,
    *,
    refuses: bool = False,
) -> str:
    return str(denial(rules, context, request, author_refuses=refuses) or "")


def test_everything_is_allowed_until_an_admin_says_otherwise() -> None:
    for request in (REQUEST, replace(REQUEST, photo_author=AUTHOR), replace(REQUEST, private=True)):
        assert said(AccessRules(), request) == ""


def test_extra_is_for_managers_until_an_admin_says_otherwise() -> None:
    request = replace(REQUEST, extra=True)
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


def test_a_block_ends_at_its_time_or_never() -> None:
    rules = AccessRules(blocked={MEMBER: Block(until=NOON), AUTHOR: Block("Spam")})
    assert rules.block_of(MEMBER, NOON - timedelta(seconds=1)) == Block(until=NOON)
    assert rules.block_of(MEMBER, NOON) is None
    assert rules.block_of(AUTHOR, NOON + timedelta(days=1000)) == Block("Spam")
    assert rules.block_of(DESIGNERS, NOON) is None


@pytest.mark.parametrize("tool", ["studio", EVERY_TOOL])
def test_a_tool_can_be_for_some_roles_and_channels(tool: str) -> None:
    rules = AccessRules(tools={tool: ToolRule(frozenset({DESIGNERS}), frozenset({THREAD}))})
    name = "Studio" if tool == "studio" else "Studii"
    designer = replace(PLAIN, roles=frozenset({1, DESIGNERS}))
    assert said(rules).startswith(f"{name} is only for <@&{DESIGNERS}> in this server.")
    assert said(rules, REQUEST, designer).startswith(f"{name} only works in <#{THREAD}>.")
    assert said(rules, REQUEST, replace(designer, channels=frozenset({CHANNEL, THREAD}))) == ""


def test_a_rule_for_one_tool_leaves_the_others_alone() -> None:
    assert said(AccessRules(tools={"virtual-staging": ToolRule(frozenset({DESIGNERS}))})) == ""


def test_options_can_be_for_roles_or_for_nobody() -> None:
    request = replace(REQUEST, private=True)
    nobody = AccessRules(private=Restriction(Permit.NOBODY))
    assert said(nobody, request, replace(PLAIN, manages=True)).startswith("`private` is turned off")
    some = AccessRules(private=Restriction(Permit.NOBODY, frozenset({1})))
    assert said(some, request) == ""
    managers = AccessRules(private=Restriction(Permit.MANAGERS, frozenset({DESIGNERS})))
    assert f"only for members with Manage Server or the role <@&{DESIGNERS}>." in said(managers, request)
