"""Who may use what, as pure decisions: the reason why not, as a sentence, or None."""

from dataclasses import dataclass

from bot.domain.policy import (
    EVERY_TOOL,
    NOBODY_KNOWN,
    AccessRules,
    Permit,
    Restriction,
    Standing,
    ToolRule,
    Whose,
)

CHANGE = "An admin can change this with `/studii access`."
BLOCKED = "You are blocked from using Studii in this server. An admin can unblock you with `/studii access`."
REFUSES = "Whoever posted that photo does not want others to use their photos. They alone can change this."
UNKNOWN_AUTHOR = (
    "It can't be told who posted that photo first, nor whether they let others use it. Whoever has it can "
    "post it here; then it works. Nothing was charged."
)
NO_RULE = ToolRule()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person would like to do. `photo_author`: who posted the photo, if it may have been somebody
    else; `NOBODY_KNOWN` if that can't be told."""

    user_id: int
    tool: str
    title: str  # of the tool
    portrait: bool  # the tool changes a person's picture
    photo_author: int | None = None
    private: bool = False
    extra: bool = False

    @property
    def of_another(self) -> bool:
        return self.photo_author is not None and self.photo_author != self.user_id


def objection(rules: AccessRules, standing: Standing, wish: Wish, *, author_refuses: bool) -> str | None:
    """Why the server's rules, or the photo's author, do not allow the wish; None if they do."""
    if wish.user_id in rules.blocked:
        return BLOCKED
    return (
        _tool(rules, standing, wish)
        or _photo(rules, standing, wish, author_refuses=author_refuses)
        or (_option(rules.private, standing, "private") if wish.private else None)
        or (_option(rules.extra, standing, "extra") if wish.extra else None)
    )


def open_in(rules: AccessRules, tool: str, places: frozenset[int]) -> bool:
    """Whether anybody at all may use the tool there; `places` as in `Standing`."""
    both = (rules.tools.get(slug, NO_RULE) for slug in (EVERY_TOOL, tool))
    return all(not rule.channels or rule.channels & places for rule in both)


def _tool(rules: AccessRules, standing: Standing, wish: Wish) -> str | None:
    for slug, what in ((EVERY_TOOL, "Studii"), (wish.tool, wish.title)):
        rule = rules.tools.get(slug, NO_RULE)
        if rule.roles and not rule.roles & standing.roles:
            return f"{what} is for {_listed('<@&{}>', rule.roles)} only in this server. {CHANGE}"
        if rule.channels and not rule.channels & standing.places:
            return f"{what} can be used in {_listed('<#{}>', rule.channels)} only. {CHANGE}"
    return None


def _photo(rules: AccessRules, standing: Standing, wish: Wish, *, author_refuses: bool) -> str | None:
    if not wish.of_another:
        return None
    if wish.photo_author == NOBODY_KNOWN:
        return UNKNOWN_AUTHOR  # perhaps of one who refuses, which holds against everyone
    if author_refuses:
        return REFUSES
    whose = rules.portraits if wish.portrait else rules.photos
    if whose is Whose.ANYONE or standing.moderates:
        return None
    return (
        f"{wish.title} takes your own photos only in this server; that one was posted by somebody else. "
        f"{CHANGE}"
    )


def _option(restriction: Restriction, standing: Standing, name: str) -> str | None:
    match restriction.permit:
        case Permit.EVERYONE:
            return None
        case Permit.MANAGERS if standing.manages:
            return None
        case _:
            if restriction.roles & standing.roles:
                return None
    named = ["people with Manage Server"] if restriction.permit is Permit.MANAGERS else []
    if restriction.roles:
        named.append(_listed("<@&{}>", restriction.roles))
    if not named:
        return f"`{name}` is turned off in this server. Leave it out, and it works. {CHANGE}"
    return f"`{name}` is for {' and '.join(named)} only. Leave it out, and it works. {CHANGE}"


def _listed(form: str, ids: frozenset[int], most: int = 5) -> str:
    shown = [form.format(one) for one in sorted(ids)[:most]]
    if len(ids) > most:
        shown.append(f"{len(ids) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
