"""The notices that a server's admins read in their log channel."""

from collections.abc import Mapping, Sequence

import discord
from discord import ui

from bot.domain import LOST_AFTER_DAYS, Job, Notice, NoticeKind, Period
from bot.reasons import Reason
from bot.services import credit_words, renews_words
from bot.ui.admin.credit_requests import asked_words, request_buttons
from bot.ui.admin.log import LogDeleteButton
from bot.ui.admin.words_notice import refused_words
from bot.ui.jobs.rulings import RULING_BUTTONS, TryAgainButton
from bot.ui.jobs.wording import ToolNames, cost_words, message_link, prompt_words, settings_words
from bot.ui.kit.layout import BAD, GOING, NEUTRAL, QUIET, UNSURE, Panel, Piece, box, lines, row, small
from bot.ui.kit.reasons import reason_words
from bot.ui.kit.text import plain, sentence

_COLOURS: Mapping[NoticeKind, discord.Colour] = {
    NoticeKind.BUDGET_80: GOING,
    NoticeKind.UNKNOWN: UNSURE,
    NoticeKind.STILL_RUNNING: UNSURE,
    NoticeKind.PLAN_DOUBTED: UNSURE,
    NoticeKind.MADE: QUIET,
    NoticeKind.WORDS: UNSURE,
    NoticeKind.CREDITS_ASKED: NEUTRAL,
}
# Discord numbers a message's components by itself, from 1; ours says which notice it is.
# https://discord.com/developers/docs/components/reference#anatomy-of-a-component
_FIRST_ID = 1_000_000_000


def mark_of(notice: Notice) -> int:
    """Return the id of the component by which a posted notice can be found again."""
    return _FIRST_ID + notice.id % _FIRST_ID


def notice_panel(
    notice: Notice,
    names: ToolNames,
    job: Job | None,
    server: str | None = None,
    *,
    hidden: bool = False,
    called: Sequence[discord.Role | discord.Object] = (),
) -> Panel:
    """Return the notice as a message; `server` names the server where that is not plain (in a DM).

    `hidden`: what the job was asked for with may not be shown here. `called` are the roles and people whom
    it is for.
    """
    body = lines(
        *_words(notice, names, job, hidden=hidden), _SETTLE if notice.kind is NoticeKind.UNKNOWN else ""
    )
    place = small(f"Server: {plain(server, 100)}" if server else "")
    if called:
        place = small(f"For {', '.join(map(_mention, called))}")
    container = box(_COLOURS.get(notice.kind, BAD), body, place)
    container.id = mark_of(notice)
    buttons = _buttons(notice, job) if server is None else []  # a DM is no place to manage a server from
    return Panel(container, row(*buttons)) if buttons else Panel(container)


def _mention(one: discord.Role | discord.Object) -> str:
    return one.mention if isinstance(one, discord.Role) else f"<@{one.id}>"


def _words(  # noqa: C901 - one case for each kind
    notice: Notice, names: ToolNames, job: Job | None, *, hidden: bool
) -> list[str]:
    details = notice.details
    told = details.get("reason")
    reason = sentence(reason_words(Reason.decode(str(told)))) if told else ""
    match notice.kind:
        case NoticeKind.BUDGET_80:
            return ["### ⚠️ Most of the budget is used", *_budget(details)]
        case NoticeKind.BUDGET_100:
            title = "The rest of the budget is too little for any tool" if details.get("least") else _USED_UP
            return [f"### 🛑 {title}", *_budget(details)]
        case NoticeKind.KEY_REFUSED:
            return [
                f"### 🔑 Studii refused this server's key{_masked(details)}",
                reason,
                small("Jobs wait at no cost, and continue automatically once a key works."),
            ]
        case NoticeKind.OUT_OF_CREDITS:
            return ["### 💳 Studii isn't accepting this server's jobs", reason, small(_HELD)]
        case NoticeKind.PLAN_DOUBTED:
            return ["### 🐢 Studii allows fewer requests than your plan", _doubt(details), small(_PLAN)]
        case NoticeKind.UNKNOWN:
            return ["### ❔ A job with an unknown outcome", *_about(job, names), reason, small(_UNKNOWN)]
        case NoticeKind.STILL_RUNNING:
            return ["### ⏳ A job has been running for a day", *_about(job, names), small(_DAY)]
        case NoticeKind.RESULT_LOST:
            return ["### 📭 A result was lost after it was paid for", *_about(job, names), small(_LOST)]
        case NoticeKind.MADE:
            return _made(job, names, hidden=hidden)
        case NoticeKind.WORDS:
            return refused_words(details, names)
        case NoticeKind.APPROVAL | NoticeKind.REVIEW | NoticeKind.DECIDED | NoticeKind.BLOCKED:
            return []  # not posted as the others: see `moderation`, and `blocked_panel`
        case NoticeKind.CREDITS_ASKED | NoticeKind.CREDITS_ANSWER:
            return asked_words(details, names)
        case NoticeKind.BEST_LOST:
            return _best_lost(details)
        case NoticeKind.LOG_LOST:
            return _log_lost(details)


_HELD = "Jobs wait at no cost, and continue automatically once Studii accepts them again."
_PLAN = (
    "If the account has another plan, choose it with `/studii key`. If something else uses "
    "this key, give me a key of my own."
)
_UNKNOWN = (
    "It won't be sent again automatically, because it might be charged twice. Check in your "
    "Studii account whether it was made. Its credits stay reserved until then."
)
_SETTLE = "Settle it with **Mark as charged** or **Release credits**, here or under Server jobs in `/jobs`."
_DAY = (
    f"The bot checks every hour. After {LOST_AFTER_DAYS} days the job ends, "
    "at the price that Studii has charged."
)
_LOST = (
    "The result isn't at its address at Studii, and I don't have it. It may still be in your Studii account. "
    "Its member was told. If this happens often, tell the bot's operator."
)


def _best_lost(details: Mapping[str, str | int | None]) -> list[str]:
    return [
        "### ⭐ I can't post in the channel for the best results",
        f"The channel <#{details.get('channel')}> was deleted, or I'm not allowed to post in it. Starred "
        "results aren't shown until you fix that, or choose another channel with `/studii channel`.",
    ]


def _log_lost(details: Mapping[str, str | int | None]) -> list[str]:
    return [
        "### 📪 I can't post in the log channel any more",
        f"The channel <#{details.get('channel')}> was deleted, or I'm not allowed to post in it. "
        "Set another with `/studii log` to keep getting warnings.",
    ]


def _budget(details: Mapping[str, str | int | None]) -> list[str]:
    spent, limit = int(details.get("spent") or 0), int(details.get("limit") or 0)
    used = f"**{spent:,} of {credit_words(limit)} spent or reserved**."
    least, renews = details.get("least"), details.get("renews")
    said = used if least is None else f"{used} No tool costs less than {least}."
    period = Period.TOTAL if renews is None else Period(str(details.get("period")))
    return [said, renews_words(period, f"<t:{renews}:R>"), small(_CHANGE)]


_USED_UP = "The budget is used up"


def _doubt(details: Mapping[str, str | int | None]) -> str:
    used, limit, lowered = (int(details.get(name) or 0) for name in ("used", "limit", "lowered"))
    plan = str(details.get("plan")).capitalize()
    refused = (
        f"Studii refused requests with the key{_masked(details)} after {used} in a minute. "
        f"The {plan} plan allows {limit}."
    )
    if lowered < limit:
        return f"{refused} For now I send at most {lowered} a minute, and try more later. Nothing is lost."
    return f"{refused} For now I send them more slowly, and speed up later. Nothing is lost."


_CHANGE = "Change it with `/studii budget`. See where the credits went with `/studii usage`."


def _masked(details: Mapping[str, str | int | None]) -> str:
    masked = details.get("masked")
    return f" `{masked}`" if masked else ""


def _about(job: Job | None, names: ToolNames) -> list[str]:
    if job is None:
        return []
    where = None if job.private else message_link(job)
    title = f"{names.emoji(job)} **{names.title(job)}**"
    what = f"{title} for <@{job.user_id}> in <#{job.channel_id}>"
    return [f"{what} · [see the message]({where})" if where else what, cost_words(job)]


def _made(job: Job | None, names: ToolNames, *, hidden: bool) -> list[str]:
    if job is None:
        return ["Something was made."]
    what = f"{names.emoji(job)} <@{job.user_id}> made a **{names.title(job)}**"
    if job.private:
        return [f"{what}, shown only to them.", small(cost_words(job))]
    if hidden:
        return [f"{what} in <#{job.channel_id}>", small(cost_words(job))]
    tool = names.tool(job)
    about = " · ".join(part for part in (settings_words(tool, job), cost_words(job)) if part)
    return [f"{what} in <#{job.channel_id}>", prompt_words(tool, job), small(about)]


def _buttons(notice: Notice, job: Job | None) -> list[Piece]:
    if notice.kind in {NoticeKind.KEY_REFUSED, NoticeKind.OUT_OF_CREDITS}:
        return [TryAgainButton(notice.guild_id)]
    if notice.kind is NoticeKind.CREDITS_ASKED:
        return [*request_buttons(notice)]
    if notice.kind is NoticeKind.UNKNOWN and job is not None:
        return [button.of(job) for button in RULING_BUTTONS]
    if notice.kind is not NoticeKind.MADE or job is None or job.private or job.result_message_id is None:
        return []
    link = message_link(job)
    return [ui.Button(label="See result", url=link), LogDeleteButton.of(job)]
