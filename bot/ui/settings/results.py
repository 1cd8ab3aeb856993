"""`/studii results`: where and how results appear."""

from collections.abc import Iterable, Mapping
from typing import Any

import discord

from bot.errors import Refused
from bot.jobs.best_results import MAX_STARS
from bot.languages import Worded, gettext, gettext as _, lazy, ngettext
from bot.servers import settings
from bot.servers.settings import MADE_WITH_AI, MAX_DISCLOSURE_CHARACTERS
from bot.ui.panels.settings import (
    Now,
    OneOf,
    Scope,
    Setting,
    Topic,
    YesNo,
    a_channel,
    a_number,
    a_text,
    change,
)
from bot.ui.reading.permissions import ensure_can_post_in
from bot.visible_text import visible


async def can_post(interaction: discord.Interaction[Any], channel_id: int | None) -> None:
    """Raise `Refused` if the bot can't post in the channel that was chosen."""
    ensure_can_post_in(channel_of(interaction, channel_id)) if channel_id else None


def channel_of(interaction: discord.Interaction[Any], channel_id: int) -> Any:
    """Return the channel that was chosen. Raises `Refused` if the bot doesn't know it."""
    channel = interaction.guild and interaction.guild.get_channel_or_thread(channel_id)
    if channel is None:
        raise Refused(lazy("That channel was deleted, or I can't see it. Nothing was changed."))
    return channel


def _load(session: Any, scope: Scope) -> settings.GuildSettings:
    return settings.of(session, scope.guild_id)


def _set_threads(session: Any, scope: Scope, on: bool) -> None:
    rules = _load(session, scope)
    settings.change(
        session,
        scope.guild_id,
        results_channel_id=None if on else rules.results_channel_id,
        in_threads=on,
    )


def _place(now: Now) -> Worded:
    if now.row.in_threads:
        return _("**Results**: posted in a thread under the photo, or in the channel if there is no photo.")
    if now.row.results_channel_id is None:
        return _("**Results**: posted in the channel where the command was used.")
    return _("**Results**: all posted in {channel}.", channel=f"<#{now.row.results_channel_id}>")


def _best(now: Now) -> Worded:
    if now.row.best_channel_id is None:
        return _("**Best of**: off. Choose a channel for results that members star with ⭐.")
    return ngettext(
        "**Best of**: ⭐ from {count} member, or from one moderator, shows a result in {channel}, if its "
        "maker agrees.",
        "**Best of**: ⭐ from {count} members, or from one moderator, shows a result in {channel}, if its "
        "maker agrees.",
        now.row.best_stars,
        channel=f"<#{now.row.best_channel_id}>",
    )


def _months(now: Now) -> Worded:
    if now.row.best_channel_id is None:
        return _("Choose a channel under **Best of** first. The best results of each month are posted there.")
    return _("On the first day of each month, the most starred results of the month before")


def _notes(now: Now) -> Iterable[Worded]:
    if now.row.results_channel_id is not None:
        yield _(
            "Results from age-restricted channels, and those of members who can't see that channel, "
            "are posted in the channel where the command was used."
        )


COMPARISONS: Mapping[str, Worded] = {
    "pair": lazy("the photo beside the result"),
    "split": lazy("also half before, half after"),
    "wipe": lazy("also a moving picture, from before to after"),
}
CORNER_NAMES: Mapping[str, Worded] = {
    "bottom-left": lazy("bottom left"),
    "bottom-right": lazy("bottom right"),
    "top-left": lazy("top left"),
    "top-right": lazy("top right"),
}


def _on_one_line(values: Mapping[str, Any]) -> str:
    return " ".join(visible(str(values["value"] or "")).split())


def _disclosure(values: Mapping[str, Any]) -> str:
    words = _on_one_line(values)
    return MADE_WITH_AI if words == gettext(MADE_WITH_AI) else words


def writable(values: Mapping[str, Any]) -> str:
    """Return the words on one line. Raises `Refused` if they can't be written on pictures."""
    words = _on_one_line(values)
    # Imported here: few servers write on pictures, and Pillow takes memory.
    from bot.media.drawing import is_writable

    if not all(map(is_writable, words)):
        raise Refused(
            lazy(
                "Only Latin, Greek, Cyrillic and Japanese letters, digits and simple signs can be "
                "written on pictures. Nothing was changed."
            )
        )
    return words


RESULTS = Topic(
    "results",
    "💬",
    lazy("Results"),
    _load,
    [
        Setting(
            "results_channel_id",
            lazy("Results"),
            a_channel(lazy("the channel where the command was used")),
            write=lambda session, scope, chosen: settings.change(
                session, scope.guild_id, results_channel_id=chosen, in_threads=False
            ),
            line=_place,
            check=can_post,
        ),
        Setting(
            "in_threads",
            lazy("Threads"),
            YesNo(),
            lazy("Post each result in a thread under its photo"),
            write=_set_threads,
        ),
        Setting(
            "compare",
            lazy("Comparison"),
            OneOf(lambda _catalog: COMPARISONS),
            read=lambda rules: "wipe" if rules.wipes else "split" if rules.splits else "pair",
            write=lambda session, scope, value: settings.change(
                session, scope.guild_id, splits=value == "split", wipes=value == "wipe"
            ),
        ),
        Setting("best_channel_id", lazy("Best of"), a_channel(lazy("off")), line=_best, check=can_post),
        Setting(
            "best_stars",
            lazy("Stars"),
            a_number(lazy("Stars"), 1, MAX_STARS),
            lazy("How many members have to star a result"),
        ),
        Setting("best_months", lazy("Month in pictures"), YesNo(), _months),
        Setting(
            "disclosure",
            lazy("Under each result"),
            a_text(lazy("Words"), MAX_DISCLOSURE_CHARACTERS, _disclosure, gettext),
            lazy("This isn't legal advice: your country or listing service may ask for more."),
        ),
        Setting(
            "staging_label",
            lazy("On a copy of each staged picture"),
            a_text(lazy("Words"), MAX_DISCLOSURE_CHARACTERS, writable),
            lazy("Such as Virtually staged"),
        ),
        Setting("staging_corner", lazy("Corner for these words"), OneOf(lambda _catalog: CORNER_NAMES)),
    ],
    change,
    notes=_notes,
    back="setup",
)
