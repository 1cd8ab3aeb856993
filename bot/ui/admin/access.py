"""The panels of `/studii access` and `/privacy`: who may use what, and on whose photos."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import discord
from discord import ui

from bot.domain.access import EVERY_TOOL, AccessRules, Block, Permit, PhotoScope, Restriction
from bot.services import Services, block_words, discord_timestamp
from bot.ui.best.buttons import BestAnswerButton
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import (
    GOOD,
    NEUTRAL,
    UNSURE,
    Panel,
    box,
    changed_words,
    lines,
    row,
    rule,
    sentence_panel,
    small,
)
from bot.ui.kit.text import plain, sentence

MAX_NAMES_IN_A_ROW = 15
MAX_ACCESS_CHARACTERS = 3600  # of the 4,000 that a message holds
MAX_OPTION_CHARACTERS = 1400  # of these, for all but the tools
LAST_LINE = 20  # characters
DELETED_IN_RULES = (
    "⚠️ A deleted role or channel gives no one access. Open the tool to everyone with "
    "`change`, then set its rules again. For `private` and `extra`, set the roles again."
)
RUNNING_FINISH = "Jobs already started will finish."
_WHOSE = {PhotoScope.ANYONE: "anyone's", PhotoScope.OWN: "your own only (moderators: anyone's)"}
_WHO = {Permit.EVERYONE: "everyone", Permit.MANAGERS: "Manage Server", Permit.NOBODY: "no one"}
_SHOWN = (
    "Results that members star with ⭐ can be shown in a server's channel for the best, with your name. They "
    "are removed from there when you change this, delete them, or use `/forget-me`."
)
_NOT_SHOWN = (
    "Your results aren't shown in a server's channel for the best, even if members star them with ⭐."
)


def access_panel(
    rules: AccessRules,
    names: ToolNames,
    there: Collection[int] | None = None,
    changed: Sequence[str] = (),
) -> Panel:
    """Return all rules of the server, below what was just `changed`.

    `there` has its roles and channels, if known; others were deleted.
    """
    done = changed_words(changed)
    options = _fitting(lambda most: _options(rules, _Mentions(there, most)), MAX_OPTION_CHARACTERS)
    tools = _fitting(
        lambda most: _tools(rules, names, _Mentions(there, most)),
        MAX_ACCESS_CHARACTERS - len(options) - len(done),
    )
    return Panel(
        box(
            NEUTRAL,
            "### 🔐 Access",
            done,
            tools,
            options,
            small(DELETED_IN_RULES if _Mentions(there).gone(rules) else ""),
            small("Each member's `/privacy` setting always applies."),
        )
    )


KEPT = (
    "The bot also keeps your jobs (`/jobs`), and your styles and defaults (`/styles`, `/defaults`) in each "
    "server. `/forget-me` erases them."
)


def blocked_panel(details: Mapping[str, str | int | None], server: str) -> Panel:
    """Return what a member is told when an admin has blocked them: why, and until when."""
    until = details.get("until")
    end = None if until is None else datetime.fromtimestamp(int(until), UTC)
    reason = details.get("reason")
    words = block_words(Block(None if reason is None else str(reason), end))
    return sentence_panel(f"In {plain(server, 100)}: {sentence(words, 1000)} {RUNNING_FINISH}", UNSURE)


async def privacy_panel_for(services: Services, user_id: int) -> Panel:
    """Return what others may do with the member's pictures, and how to change it."""
    refuses = await services.access.refuses_photos(user_id)
    return _privacy_panel(refuses=refuses, shown=await services.best.consent(user_id))


def _privacy_panel(*, refuses: bool, shown: bool | None) -> Panel:
    if refuses:
        said = "No one else can use the tools on your photos, in any server with this bot."
        button = PhotoUseButton(allow=True)
    else:
        said = "Others can use the tools on photos you post, within the rules of each server."
        button = PhotoUseButton(allow=False)
    title = "### 🖼️ Your photos"
    starred = _SHOWN if shown else _NOT_SHOWN
    return Panel(
        box(
            GOOD if refuses else NEUTRAL,
            f"{title}\n{said}",
            row(button),
            small(KEPT),
            rule(),
            f"### ⭐ Your starred results\n{starred}",
            row(BestAnswerButton(agreed=not shown)),
        )
    )


class PhotoUseButton(LastingButton, template=r"studii:photos:(?P<allow>allow|forbid)"):
    """Let others use the presser's photos, or not, in every server. The panel then shows it."""

    def __init__(self, *, allow: bool) -> None:
        self._allow = allow
        label = "Let others use them" if allow else "Don't let others use them"
        custom_id = f"studii:photos:{'allow' if allow else 'forbid'}"
        super().__init__(ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(allow=match["allow"] == "allow")

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        access, user_id = host.services.access, interaction.user.id
        await interaction.response.defer()  # what follows may have to wait for others who write
        await access.set_photo_refusal(user_id, refuses=not self._allow)
        await interaction.edit_original_response(view=await privacy_panel_for(host.services, user_id))


@dataclass(frozen=True, slots=True)
class _Mentions:
    """Mentions of roles, channels and members, at most `most` of a kind. `there` is as in `access_panel`."""

    there: Collection[int] | None
    most: int = MAX_NAMES_IN_A_ROW

    def roles(self, ids: Collection[int]) -> str:
        return self._listed("<@&{}>", "a deleted role", ids)

    def channels(self, ids: Collection[int]) -> str:
        return self._listed("<#{}>", "a deleted channel", ids)

    def gone(self, rules: AccessRules) -> bool:
        """Return whether a rule names something that was deleted."""
        lists = [ids for rule in rules.tools.values() for ids in (rule.roles, rule.channels)]
        named = frozenset[int]().union(*lists, rules.private.roles, rules.extra.roles)
        return self.there is not None and not named <= frozenset(self.there)

    def _listed(self, form: str, deleted: str, ids: Collection[int]) -> str:
        known = [one for one in sorted(ids) if self.there is None or one in self.there]
        gone = [deleted] * (len(ids) - len(known))
        return _joined([*map(form.format, known), *gone], self.most)


def _joined(named: Sequence[str], most: int) -> str:
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more


def _fitting(worded: Callable[[int], list[str]], room: int) -> str:
    """Return the lines with as many names in each as fit; if there are too many lines, the first ones."""
    for most in (MAX_NAMES_IN_A_ROW, 8, 4, 2, 1):
        written = worded(most)
        if len(lines(*written)) <= room:
            return lines(*written)
    shown = written
    while len(lines(*shown)) > room - LAST_LINE:
        shown = shown[:-1]
    return lines(*shown, f"and {len(written) - len(shown)} more")


def _options(rules: AccessRules, mentions: _Mentions) -> list[str]:
    return [
        f"Photos: **{_WHOSE[rules.photos]}**",
        f"Portraits: **{_WHOSE[rules.portraits]}**",
        f"`private`: **{_who(rules.private, mentions)}**",
        f"`extra`: **{_who(rules.extra, mentions)}**",
        *_blocked(rules.blocked, mentions.most),
    ]


def _blocked(blocked: Mapping[int, Block], most: int) -> list[str]:
    """Return a line for each member who can't start jobs: until when, and why."""
    if not blocked:
        return ["No one is blocked."]
    shown = [_block(user_id, block) for user_id, block in sorted(blocked.items())[:most]]
    left = len(blocked) - len(shown)
    return ["Blocked:", *shown, *([f"- and {left} more"] if left else [])]


def _block(user_id: int, block: Block) -> str:
    until = "" if block.until is None else f" until {discord_timestamp(block.until, 'f')}"
    if block.automatic:
        return f"- <@{user_id}>{until}, after many refusals by word rules"
    return f"- <@{user_id}>{until}: {plain(block.reason, 200)}" if block.reason else f"- <@{user_id}>{until}"


def _tools(rules: AccessRules, names: ToolNames, mentions: _Mentions) -> list[str]:
    if not rules.tools:
        return ["Every tool: **everyone, everywhere**"]
    shown: list[str] = []
    for slug, tool in rules.tools.items():
        title = "Every tool" if slug == EVERY_TOOL else names.title_of(slug)
        who = mentions.roles(tool.roles) if tool.roles else "everyone"
        where = f"in {mentions.channels(tool.channels)}" if tool.channels else "everywhere"
        shown.append(f"{title}: **{who}**, {where}")
    return shown


def _who(restriction: Restriction, mentions: _Mentions) -> str:
    if not restriction.roles or restriction.permit is Permit.EVERYONE:
        return _WHO[restriction.permit]
    roles = mentions.roles(restriction.roles)
    return roles if restriction.permit is Permit.NOBODY else f"{_WHO[restriction.permit]}, {roles}"
