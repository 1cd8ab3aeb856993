"""What admins see of who may use what, and members of their own refusal."""

from collections.abc import Iterable

from bot.policy import EVERY_TOOL, AccessRules, Permit, Restriction, Whose
from bot.ui.layout import GOOD, NEUTRAL, Panel, box, lines, small
from bot.ui.words import ToolNames

MOST = 15
_WHOSE = {Whose.ANYONE: "anyone's", Whose.OWN: "one's own (Manage Messages: anyone's)"}
_WHO = {Permit.EVERYONE: "everyone", Permit.MANAGERS: "Manage Server", Permit.NOBODY: "nobody"}


def access_panel(rules: AccessRules, names: ToolNames) -> Panel:
    """All rules of the server."""
    return Panel(
        box(
            NEUTRAL,
            "### 🔐 Who may use what",
            lines(*_tools(rules, names)),
            lines(
                f"Photos: **{_WHOSE[rules.photos]}**",
                f"Portraits: **{_WHOSE[rules.portraits]}**",
                f"`private`: **{_who(rules.private)}**",
                f"`extra`: **{_who(rules.extra)}**",
                f"Blocked: {_mentions('<@{}>', rules.blocked)}" if rules.blocked else "Nobody is blocked.",
            ),
            small("A member's own `/privacy` holds in any case."),
        )
    )


def privacy_panel(*, refuses: bool) -> Panel:
    """Whether others may use the member's photos, and how to change it."""
    if refuses:
        said = "Nobody else can use the tools on your photos, in any server with this bot."
        other = "`/privacy others_may_use_my_photos:True` allows it again."
    else:
        said = "Others may use the tools on photos that you post, as far as the server's admins allow it."
        other = "`/privacy others_may_use_my_photos:False` forbids it."
    return Panel(box(GOOD if refuses else NEUTRAL, f"### 🖼️ Your photos\n{said}", small(other)))


def _tools(rules: AccessRules, names: ToolNames) -> list[str]:
    if not rules.tools:
        return ["Every tool: **everyone, everywhere**"]
    shown: list[str] = []
    for slug, rule in list(rules.tools.items())[:MOST]:
        title = "Every tool" if slug == EVERY_TOOL else names.title_of(slug)
        who = _mentions("<@&{}>", rule.roles) if rule.roles else "everyone"
        where = f"in {_mentions('<#{}>', rule.channels)}" if rule.channels else "everywhere"
        shown.append(f"{title}: **{who}**, {where}")
    return shown


def _who(restriction: Restriction) -> str:
    if not restriction.roles or restriction.permit is Permit.EVERYONE:
        return _WHO[restriction.permit]
    roles = _mentions("<@&{}>", restriction.roles)
    return roles if restriction.permit is Permit.NOBODY else f"{_WHO[restriction.permit]}, {roles}"


def _mentions(form: str, ids: Iterable[int]) -> str:
    known = sorted(ids)
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return ", ".join(form.format(one) for one in known[:MOST]) + more
