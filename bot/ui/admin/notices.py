"""The notices that a server's admins read in their log channel."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import discord
from discord import ui

from bot.catalog import Catalog
from bot.credits.budgets import WARNING_PERCENT, credit_words, renewal_message
from bot.errors import NotAllowed, Refused
from bot.features.words import MAX_RULE_CHARACTERS
from bot.jobs import holds, queries
from bot.jobs.models import LOST_AFTER_DAYS, Job, JobState
from bot.languages import Message, and_list, gettext as _, lazy, plazy, sentences, speaking
from bot.posts import Post
from bot.reasons import Reason
from bot.servers.access import block_words
from bot.servers.notices import NoticeKind
from bot.ui.admin.credits import Details, asked_words, request_buttons
from bot.ui.jobs.listing import ruling_buttons
from bot.ui.jobs.more import delete_posted
from bot.ui.jobs.wording import cost_words, message_link, prompt_words, settings_words
from bot.ui.kit.answers import NO_ACCESS, answer, host_of, tolerated
from bot.ui.kit.layout import (
    BAD,
    GOING,
    GOOD,
    NEUTRAL,
    QUIET,
    UNSURE,
    Panel,
    Piece,
    box,
    boxed,
    lines,
    plain,
    row,
    sentence,
    server_line,
    small,
)
from bot.ui.kit.reasons import reason_words
from bot.ui.panels.controls import Id, Press, admin, button
from bot.ui.panels.settings import change_words
from bot.ui.reading.permissions import moderates, server_of

LOG_SHOWS = lazy(
    "It shows changed settings, refused requests and requests for credits, and warns when {percent}% and "
    "100% of the budget are used, when Studii refuses the key or credits run out, and of each job with an "
    "unknown outcome.",
    percent=WARNING_PERCENT,
)
HELLO = lazy("**This is now Studii's log channel.**")
ALREADY_DELETED = lazy("That result was already deleted.")
EVERYONE_READS = lazy(
    "Everyone can read it, and it can show refused prompts and who made what. Make it private, or choose "
    "another."
)


async def post_greeting(
    interaction: discord.Interaction, channel: discord.TextChannel | discord.Thread | discord.VoiceChannel
) -> None:
    """Greet the log channel. Raise `NotAllowed` if Discord keeps the bot out of it."""
    with speaking(await host_of(interaction).readers.in_server(channel.guild.id)):
        hello = boxed(NEUTRAL, f"📋 {sentences(HELLO, LOG_SHOWS)}")
    with tolerated("Server %d: the log channel may not be greeted", channel.guild.id):
        try:
            await channel.send(view=hello)
        except NO_ACCESS:
            raise NotAllowed(
                lazy(
                    "Discord doesn't let me post in {channel}. Check my permissions there. Nothing was "
                    "changed.",
                    channel=channel.mention,
                )
            ) from None


@button("logdelete:{job_id}-{posting}", label=lazy("Delete result"), style=discord.ButtonStyle.danger)
async def delete_from_log(press: Press, job_id: Id, posting: int) -> None:
    """Delete a result from the channel that it was posted in. Its line in the log stays."""
    interaction, db = press.interaction, press.host.resources.db
    job = await db.read(queries.get, job_id)
    if job is None or job.guild_id != interaction.guild_id or job.result_message_id is None:
        raise Refused(ALREADY_DELETED)
    if not moderates(interaction, job):
        raise Refused(
            lazy(
                "To delete it from here, you need Manage Server, or Manage Messages in the result's channel."
            )
        )
    alone = job.set_message is None  # else the message shows others of the set
    where = (job.result_channel_id or job.channel_id, job.result_message_id) if alone else None
    await delete_posted(
        interaction,
        db,
        where,
        job,
        gone=ALREADY_DELETED,
        out_of_reach=lazy(
            "I can't delete it: I'm missing **View Channel** in its channel. Delete it there yourself."
        ),
    )
    await answer(interaction, boxed(QUIET, _("The result is deleted. Its cost stays in the ledger.")))


@button(
    "tryagain:{guild_id}",
    label=plazy("button", "Try again"),
    style=discord.ButtonStyle.primary,
    who=admin,
)
async def try_again(press: Press, guild_id: int) -> None:
    """Let one waiting job try the server's key now."""
    if server_of(press.interaction) != guild_id:
        raise Refused(lazy("That button belongs to another server. Nothing was changed."))
    words = _("The key works, and no jobs are on hold.")
    if await press.host.resources.db.write(holds.try_again, guild_id, press.host.clock.now()):
        words = _("The next job will try Studii now. The others follow if it works.")
    await answer(press.interaction, boxed(GOOD, words))


_SETTLE = lazy("Settle it with **Mark as charged** or **Release credits** under Server jobs in `/jobs`.")
_CHANGE = lazy("Change it with `/studii budget`. See where the credits went with `/studii credits`.")
_COLOURS: Mapping[NoticeKind, discord.Colour] = {
    NoticeKind.BUDGET_80: GOING,
    NoticeKind.UNKNOWN: UNSURE,
    NoticeKind.STILL_RUNNING: UNSURE,
    NoticeKind.PLAN_DOUBTED: UNSURE,
    NoticeKind.MADE: QUIET,
    NoticeKind.WORDS: UNSURE,
    NoticeKind.CREDITS_ASKED: NEUTRAL,
    NoticeKind.CHANGED: QUIET,
}


def notice_panel(
    notice: Post,
    catalog: Catalog,
    job: Job | None,
    server: str | None,
    *,
    hidden: bool,
    called: Sequence[discord.Role | discord.Object],
) -> Panel:
    """Return the notice as a message; `server` names the server where that is not plain (in a DM).

    `hidden`: what the job was asked for with may not be shown here. `called` are the roles and people whom
    it is for.
    """
    unruled = job is None or job.state is JobState.UNKNOWN
    settle = _SETTLE if notice.kind == NoticeKind.UNKNOWN and unruled else ""
    body = lines(*_words(notice, catalog, job, hidden=hidden), settle)
    place = server_line(server) if server else ""
    if called:
        mentions = [one.mention if isinstance(one, discord.Role) else f"<@{one.id}>" for one in called]
        # Translators: mentions of roles and people
        place = small(_("For {people}", people=and_list(mentions)))
    container = box(_COLOURS.get(NoticeKind(notice.kind), BAD), body, place)
    buttons = _buttons(notice, job) if server is None else []  # a DM is no place to manage a server from
    return Panel(container, row(*buttons)) if buttons else Panel(container)


def blocked_panel(details: Details, server: str) -> Panel:
    """Return the sentence for a member whom an admin has blocked, with the reason and the end."""
    until = details.get("until")
    end = None if until is None else datetime.fromtimestamp(int(until), UTC)
    reason = details.get("reason")
    words = block_words(end, None if reason is None else str(reason))
    said = sentences(sentence(str(words), 1000), lazy("Jobs already started will finish."))
    return boxed(UNSURE, lines(said, server_line(server)))


# Of most kinds: an emoji, a title, and what follows from it or what to do.
_LOOKS: Mapping[NoticeKind, tuple[str, Message, Message | str]] = {
    NoticeKind.BUDGET_80: ("⚠️", lazy("Most of the budget is used"), _CHANGE),
    NoticeKind.BUDGET_100: ("🛑", lazy("The budget is used up"), _CHANGE),
    NoticeKind.KEY_REFUSED: (
        "🔑",
        lazy("Studii refused this server's key {key}"),
        lazy("Jobs wait at no cost, and continue automatically once a key works."),
    ),
    NoticeKind.OUT_OF_CREDITS: (
        "💳",
        lazy("Studii isn't accepting this server's jobs"),
        lazy("Jobs wait at no cost, and continue automatically once Studii accepts them again."),
    ),
    NoticeKind.PLAN_DOUBTED: (
        "🐢",
        lazy("Studii allows fewer requests than your plan"),
        lazy(
            "If the account has another plan, choose it with `/studii setup`. If something else "
            "uses this key, give the bot a key of its own."
        ),
    ),
    NoticeKind.UNKNOWN: (
        "❔",
        lazy("A job with an unknown outcome"),
        lazy(
            "It won't be sent again automatically, because it might be charged twice. Check in your "
            "Studii account whether it was made. Its credits stay reserved until then."
        ),
    ),
    NoticeKind.STILL_RUNNING: (
        "⏳",
        lazy("A job has been running for a day"),
        lazy(
            "The bot checks every hour. After {days} days the job ends, at the price that Studii has "
            "charged.",
            days=LOST_AFTER_DAYS,
        ),
    ),
    NoticeKind.RESULT_LOST: (
        "📭",
        lazy("A result was lost after it was charged"),
        lazy(
            "The result isn't at its address at Studii, and the bot doesn't have it. It may still be "
            "in your Studii account. The member knows. If this happens often, tell the bot's "
            "operator."
        ),
    ),
    NoticeKind.BEST_LOST: ("⭐", lazy("I can't post in the channel for the best results"), ""),
    NoticeKind.LOG_LOST: ("📪", lazy("I can't post in the log channel any more"), ""),
}


def _words(notice: Post, catalog: Catalog, job: Job | None, *, hidden: bool) -> list[str]:
    kind, details = NoticeKind(notice.kind), notice.details
    match kind:
        case NoticeKind.MADE:
            return _made(job, catalog, hidden=hidden)
        case NoticeKind.WORDS:
            return refused_words(details, catalog)
        case NoticeKind.CREDITS_ASKED | NoticeKind.CREDITS_ANSWER:
            return asked_words(details, catalog)
        case NoticeKind.CHANGED:
            return _changed(details, catalog)
        case NoticeKind.APPROVAL | NoticeKind.REVIEW | NoticeKind.BLOCKED | NoticeKind.ENDED:
            return []  # not posted as the others: see `bot.delivery.messages`
        case _:
            emoji, title, note = _LOOKS[kind]
    if kind is NoticeKind.BUDGET_100 and details.get("least"):
        title = lazy("The rest of the budget is too little for any tool")
    if kind is NoticeKind.KEY_REFUSED:
        title = title.using(key=f"`{details['masked']}`")
    return [f"### {emoji} {title}", *_happened(kind, details, catalog, job), small(note)]


def _happened(kind: NoticeKind, details: Details, catalog: Catalog, job: Job | None) -> list[str]:
    """Return what stands between the title and the note."""
    told, channel = details.get("reason"), f"<#{details.get('channel')}>"
    match kind:
        case NoticeKind.BUDGET_80 | NoticeKind.BUDGET_100:
            return _budget(details)
        case NoticeKind.PLAN_DOUBTED:
            return [_doubt(details)]
        case NoticeKind.BEST_LOST:
            return [
                _(
                    "The channel {channel} was deleted, or I'm not allowed to post in it. Starred results "
                    "aren't shown until you fix that, or choose another channel with `/studii results`.",
                    channel=channel,
                )
            ]
        case NoticeKind.LOG_LOST:
            return [
                _(
                    "The channel {channel} was deleted, or I'm not allowed to post in it. Set another with "
                    "`/studii setup` to keep getting warnings.",
                    channel=channel,
                )
            ]
        case _:
            reason = sentence(reason_words(Reason.decode(str(told)))) if told else ""
            return [*_about(job, catalog), reason]


def _changed(details: Details, catalog: Catalog) -> list[str]:
    """Return who has changed settings, a line for each."""
    topic, key, changes = (str(details.get(name) or "") for name in ("topic", "key", "changes"))
    title = _("{admin} changed settings", admin=f"<@{details.get('user')}>")
    return [
        f"🛠️ {title}",
        *(f"- {one}" for one in change_words(topic, key, json.loads(changes or "[]"), catalog)),
    ]


def _budget(details: Details) -> list[str]:
    spent, limit = int(details.get("spent") or 0), int(details.get("limit") or 0)
    used = _("**{spent} of {credits} spent or reserved**.", spent=spent, credits=credit_words(limit))
    least, renews = details.get("least"), details.get("renews")
    # Translators: least is a number of credits
    said = used if least is None else sentences(used, _("No tool costs less than {least}.", least=least))
    end = None if renews is None else datetime.fromtimestamp(int(renews), UTC)
    return [said, str(renewal_message(end))]


def _doubt(details: Details) -> str:
    used, limit, lowered = (int(details.get(name) or 0) for name in ("used", "limit", "lowered"))
    plan = str(details.get("plan")).capitalize()
    refused = lazy(
        "Studii refused requests with the key {key} after {used} in a minute. The {plan} plan allows {limit}."
    ).using(key=f"`{details['masked']}`", used=used, plan=plan, limit=limit)
    if lowered < limit:
        slower = _(
            "For now the bot sends at most {lowered} a minute, and tries more later. Nothing is lost.",
            lowered=lowered,
        )
    else:
        slower = _("For now the bot sends them more slowly, and speeds up later. Nothing is lost.")
    return sentences(refused, slower)


def _about(job: Job | None, catalog: Catalog) -> list[str]:
    if job is None:
        return []
    where = None if job.private else message_link(job)
    said = _(
        "**{tool}** for {member} in {channel}",
        tool=catalog.title(job.tool),
        member=f"<@{job.user_id}>",
        channel=f"<#{job.channel_id}>",
    )
    what, see = f"{catalog.emoji(job.tool)} {said}", _("see the message")
    return [f"{what} · [{see}]({where})" if where else what, cost_words(job)]


def _made(job: Job | None, catalog: Catalog, *, hidden: bool) -> list[str]:
    if job is None:
        return [_("Something was made.")]
    title, member = catalog.title(job.tool), f"<@{job.user_id}>"
    if job.private:
        said = _("{member} made a **{tool}**, shown only to them.", member=member, tool=title)
        return [f"{catalog.emoji(job.tool)} {said}", small(cost_words(job))]
    there = f"<#{job.channel_id}>"
    said = _("{member} made a **{tool}** in {channel}", member=member, tool=title, channel=there)
    what = f"{catalog.emoji(job.tool)} {said}"
    if hidden:
        return [what, small(cost_words(job))]
    tool = catalog.tools.get(job.tool)
    about = " · ".join(part for part in (settings_words(tool, job.inputs), cost_words(job)) if part)
    return [what, prompt_words(tool, job.inputs), small(about)]


def _buttons(notice: Post, job: Job | None) -> list[Piece]:
    if notice.kind in {NoticeKind.KEY_REFUSED, NoticeKind.OUT_OF_CREDITS}:
        return [try_again.of(notice.guild_id)]
    if notice.kind == NoticeKind.CREDITS_ASKED:
        return [*request_buttons(notice)]
    if notice.kind == NoticeKind.UNKNOWN and job is not None and job.state is JobState.UNKNOWN:
        return [*ruling_buttons(job)]
    if notice.kind != NoticeKind.MADE or job is None or job.private or job.result_message_id is None:
        return []
    link = message_link(job)
    return [ui.Button(label=_("See result"), url=link), delete_from_log.of(job.id, job.posting)]


_MAX_QUOTE_CHARACTERS = 1000


def refused_words(details: Details, catalog: Catalog) -> list[str]:
    """Return the notice's lines. What was refused is behind a spoiler, not to be read by chance."""
    tool, channel = catalog.title(str(details.get("tool"))), f"<#{details.get('channel')}>"
    until, change = details.get("until"), ""
    if details.get("preset"):
        title = _("The word filter refuses a photo tool")
        said = _(
            "**{tool}** doesn't start on photos in {channel}, because of the words that an admin set it up "
            "with.",
            tool=tool,
            channel=channel,
        )
        change = _("Change them with `/studii photos`, or remove the rule with `/studii moderation`.")
    else:
        title, member = _("The word filter refused a request"), f"<@{details.get('user')}>"
        said = _("{member} asked for **{tool}** in {channel}.", member=member, tool=tool, channel=channel)
    paused = ""
    if until:
        paused = _(
            "They can't start jobs until {when}. `/studii moderation` ends this.", when=f"<t:{until}:f>"
        )
    rule = _("Rule: {rule}", rule=f"||{plain(str(details.get('rule')), MAX_RULE_CHARACTERS)}||")
    uncharged = _("Nothing was charged.")
    return [f"### 🚫 {title}", said, _quoted(details), paused, change, small(f"{rule} · {uncharged}")]


def _quoted(details: Details) -> str:
    text = details.get("text")
    if text is None:
        return _("It isn't shown here, because it was asked for in an age-restricted channel.")
    return f"> ||{plain(str(text), _MAX_QUOTE_CHARACTERS) or '…'}||"
