"""The words for a job: its settings, its state, its cost."""

from collections.abc import Mapping, Sequence

from bot.catalog import Catalog, Tool, spaced
from bot.credits.budgets import Estimate, credit_words, short_price
from bot.credits.prices import MIN_ESTIMATE_CREDITS
from bot.jobs.models import FORGOTTEN_MEMBER, TERMINAL_STATES, Job, JobState, Progress, are_variations
from bot.languages import (
    Worded,
    and_list,
    discord_timestamp,
    gettext as _,
    lazy,
    ngettext,
    pgettext,
    plazy,
    sentences,
)
from bot.ui.kit.layout import plain, sentence, shortened
from bot.ui.kit.reasons import reason_words
from bot.ui.reading.pictures import plain_name

PROMPT_LENGTH = 300  # characters shown of a long text
VALUE_LENGTH = 40
MAX_SETTINGS_CHARACTERS = 300
MAX_LINK_CHARACTERS = 1500  # of an address that is shown in a text
ALT_LENGTH = 256  # what Discord takes as the description of a picture in a gallery
# Statuses of jobs whose result has still to be fetched.
_FINISHED_STATUSES = frozenset({"completed", "done", "finished", "succeeded", "success"})
# Statuses that say no more than our own sentence.
_PLAIN_STATUSES = frozenset({"in_progress", "pending", "processing", "running", "started"})
_STATE_NAMES: Mapping[JobState, Worded] = {
    JobState.RECEIVED: plazy("state of a job", "getting ready"),
    JobState.PENDING: plazy("state of a job", "waiting for approval"),
    JobState.WAITING: plazy("state of a job", "in the queue"),
    JobState.UPLOADING: plazy("state of a job", "being sent"),
    JobState.SUBMITTING: plazy("state of a job", "being sent"),
    JobState.RUNNING: plazy("state of a job", "running"),
    JobState.REVIEWING: plazy("state of a job", "result waiting for approval"),
    JobState.SUCCEEDED: plazy("state of a job", "done"),
    JobState.WITHHELD: plazy("state of a job", "result not posted"),
    JobState.FAILED: plazy("state of a job", "failed"),
    JobState.CANCELLED: plazy("state of a job", "cancelled"),
    JobState.UNKNOWN: plazy("state of a job", "outcome unknown"),
}
_TO_DECIDE_ON: Mapping[tuple[JobState, bool], Worded] = {  # the second says whether it is private
    (JobState.PENDING, False): lazy("Waiting for a moderator to approve it."),
    (JobState.PENDING, True): lazy(
        "Waiting for a moderator to approve it. Moderators see this request, although the result is private. "
        "Cancel it if you don't want that."
    ),
    (JobState.REVIEWING, False): lazy("It's finished. A moderator looks at the result before it's posted."),
    (JobState.REVIEWING, True): lazy("It's finished. A moderator looks at the result before you get it."),
}
_UNREASONED = {JobState.FAILED: lazy("The job failed."), JobState.WITHHELD: lazy("The result wasn't posted.")}
_SETTLED = TERMINAL_STATES | {JobState.REVIEWING}


def job_words(number: int) -> str:
    """Say a number of jobs, as `1 job` or `1,200 jobs`."""
    return ngettext("{count} job", "{count} jobs", number)


def member_words(user_id: int) -> str:
    """Return a mention of the member, or that they were forgotten."""
    return f"<@{user_id}>" if user_id != FORGOTTEN_MEMBER else _("a member whose data was erased")


def prompt_of(tool: Tool | None, inputs: Mapping[str, str]) -> str | None:
    """Return the long text as it was typed, or None if there is none."""
    names = (one.name for one in tool.inputs if one.long) if tool else iter(("prompt",))
    return next((inputs[name] for name in names if inputs.get(name)), None)


def settings_of(tool: Tool | None, inputs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the inputs that the person chose or could have chosen, as people read them.

    The long ones are left out.
    """
    if tool is None:
        return [(spaced(name), value) for name, value in inputs.items() if name != "prompt"]
    hidden = {one.name for one in tool.inputs if one.long}
    if tool.source_flag is not None:
        hidden.add(tool.source_flag.name)
    return [tool.named_value(name, value) for name, value in inputs.items() if name not in hidden]


def settings_words(tool: Tool | None, inputs: Mapping[str, str], most: int = MAX_SETTINGS_CHARACTERS) -> str:
    """Return `style **modern** · room **living**`, as many as fit; empty if there are no settings."""
    shown = [
        f"{plain(name, VALUE_LENGTH)} **{plain(value, VALUE_LENGTH) or '…'}**"
        for name, value in settings_of(tool, inputs)
    ]
    while len(" · ".join(shown)) > most:
        shown[-2:] = ["…"]
    return " · ".join(shown)


def alike(whole: Sequence[Job]) -> dict[str, str]:
    """Return the inputs that all jobs of a set have."""
    return {
        name: value
        for name, value in whole[0].inputs.items()
        if all(one.inputs.get(name) == value for one in whole)
    }


def part_words(job: Job, whole: Sequence[Job], catalog: Catalog) -> str:
    """Return what a job of a set is called: what it has of its own, and its photo. Not escaped."""
    tool = catalog.tools.get(job.tool)
    own = {name: value for name, value in job.inputs.items() if name not in alike(whole)}
    said = [value for _name, value in settings_of(tool, own)]
    if not are_variations(whole):
        said.append(plain_name(job.source) if job.source is not None else _("photo"))
    return " · ".join(said) or _("variation")


def count_words(whole: Sequence[Job], count: int | None = None) -> str:
    """Return `4 photos` or `4 variations`, for all jobs of the set or for `count` of them."""
    count = len(whole) if count is None else count
    if are_variations(whole):
        return ngettext("{count} variation", "{count} variations", count)
    return ngettext("{count} photo", "{count} photos", count)


def prompt_words(tool: Tool | None, inputs: Mapping[str, str]) -> str:
    """Return the long text as a quotation; empty if there is none."""
    prompt = prompt_of(tool, inputs)
    return f"> {plain(prompt, PROMPT_LENGTH) or '…'}" if prompt else ""


def alt_words(catalog: Catalog, job: Job) -> str:
    """Return the result's description for screen readers."""
    title, tool = catalog.title(job.tool), catalog.tools.get(job.tool)
    chosen = and_list([f"{name} {value}" for name, value in settings_of(tool, job.inputs)])
    prompt = prompt_of(tool, job.inputs)
    words = title
    if prompt and chosen:
        # Translators: for screen readers; the inputs are those that were chosen, such as “style modern”.
        words = _("{tool}: {prompt} ({inputs})", tool=title, prompt=prompt, inputs=chosen)
    elif said := prompt or chosen:
        # Translators: for screen readers; the description is the prompt, or what was chosen.
        words = _("{tool}: {description}", tool=title, description=said)
    return shortened(words, ALT_LENGTH)


def state_words(job: Job, progress: Progress) -> str:
    """Return the state of a job in one line, without its cost."""
    match job.state:
        case JobState.RECEIVED | JobState.WAITING:
            return _waiting(job, progress)
        case JobState.PENDING | JobState.REVIEWING:
            return str(_TO_DECIDE_ON[job.state, job.private])
        case JobState.UPLOADING:
            return _("Sending your photo to Studii…")
        case JobState.SUBMITTING:
            told = job.cancel_told is not None
            return sentences(
                lazy("Sending it to Studii…"),
                lazy("It will be cancelled if Studii doesn't take it.") if told else "",
            )
        case JobState.RUNNING:
            return _running(job, progress)
        case JobState.SUCCEEDED:
            return _done(job)
        case JobState.FAILED | JobState.WITHHELD:
            return sentence(reason_words(job.failure_text) or str(_UNREASONED[job.state]))
        case JobState.CANCELLED:
            return _("Cancelled.")
        case JobState.UNKNOWN:
            return (
                sentence(reason_words(job.failure_text))
                if job.failure_text
                else str(
                    lazy(
                        "Studii's answer didn't arrive, so it's not clear yet whether this was charged. It "
                        "won't be sent twice. An admin can settle it with `/jobs`."
                    )
                )
            )


def state_name(state: JobState) -> str:
    """Return the name of a state in a list."""
    return str(_STATE_NAMES[state])


def short_state_words(job: Job) -> str:
    """Return the state of a job for a line among those of its set, whose progress says the rest for all."""
    if job.state is JobState.UNKNOWN:
        return state_name(job.state)
    if job.state is JobState.PENDING:
        return str(_TO_DECIDE_ON[job.state, False])
    # Where each stands in the queue would need an edit whenever one moves.
    return state_words(job, Progress())


def cost_words(job: Job) -> str:
    """Return what a job costs or has cost according to the ledger, such as `Charged 8 credits.`"""
    if job.state is JobState.SUCCEEDED:
        return credit_words(job.settled)
    if job.state in _SETTLED:
        if not job.settled:
            return _("Not charged.")
        return _("Charged {credits}.", credits=credit_words(job.settled))
    reserved = credit_words(job.reserved)
    if job.state is JobState.UNKNOWN:
        return _("{credits} reserved until it's settled.", credits=reserved)
    if job.charged is None:
        if job.price_learned:
            return _("{credits} reserved (last price)", credits=reserved)
        return _("{credits} reserved (estimate)", credits=reserved)
    return credit_words(job.charged)


def again_price(job: Job) -> Estimate:
    """Return what a job like that one will probably cost: what it was charged, else what was reserved."""
    if job.state is JobState.SUCCEEDED and job.settled:
        return Estimate(job.settled, learned=True)
    return Estimate(max(MIN_ESTIMATE_CREDITS, job.estimate, job.settled), learned=bool(job.price_learned))


def again_label(job: Job) -> str:
    """Return the label of the button that runs a job again, with its price."""
    return _("Run again · {price}", price=short_price(again_price(job)))


def job_line(job: Job, catalog: Catalog, *, linked: bool = True, deleted: bool = False) -> str:
    """Return a job in one line: its tool, its state, what it costs, and when it was asked for.

    `deleted`: its result is no longer in Discord, so there is nothing to link to.
    """
    link = message_link(job)
    title = catalog.title(job.tool)
    what = f"[{title}]({link})" if linked and not deleted and link is not None else title
    free = job.terminal and not job.settled
    cost = pgettext("state of a job", "not charged") if free else credit_words(job.settled or job.reserved)
    when = discord_timestamp(job.created_at)
    state = (
        plazy("state of a job", "deleted")
        if deleted
        else plazy("state of a job", "not approved")
        if job.not_approved
        else _STATE_NAMES[job.state]
    )
    return f"{catalog.emoji(job.tool)} {what} · {state} · {cost} · {when}"


def message_link(job: Job) -> str | None:
    """Return the link to what the job has posted, or None if that is nothing."""
    if job.result_message_id is None:
        return None
    return link_of(job.guild_id, job.result_channel_id or job.channel_id, job.result_message_id)


def link_words(job: Job) -> str:
    """Return the link to the output, and that it may stop working; or that there is none."""
    if not _usable(job.output_url):
        return str(
            lazy(
                "There's no link to it either. It may still be in the Studii account: ask the server's "
                "admins."
            )
        )
    link = f"<{job.output_url}>"
    if job.output_kind == "video":
        return _("[Open the video]({link}). The link may stop working after a while.", link=link)
    return _("[Open the picture]({link}). The link may stop working after a while.", link=link)


def can_play(job: Job) -> bool:
    """Return whether Discord would play the video if an ordinary message linked it."""
    return job.output_kind == "video" and _usable(job.output_url)


def _usable(url: str | None) -> bool:
    """Return whether the address can stand in a text."""
    # These characters would end the link, or its spoiler.
    if url is None or len(url) > MAX_LINK_CHARACTERS or any(character in url for character in "<> \n|"):
        return False
    return url.lower().startswith(("https://", "http://"))


def link_of(guild_id: int, channel_id: int, message_id: int) -> str:
    """Return the link to a message in a server."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"


def _waiting(job: Job, progress: Progress) -> str:
    if job.held:
        return sentence(reason_words(job.held))
    if job.state is JobState.RECEIVED:
        return _("Fetching your photo…") if job.source else _("Getting ready…")
    parts = [_place(progress.position)]
    if progress.starts_at is not None:
        parts.append(_("expected to start {when}", when=discord_timestamp(progress.starts_at)))
    if progress.waits_for_price:
        parts.append(_("another job runs first, to learn the price"))
    return " · ".join(parts) if len(parts) > 1 else f"{parts[0]}…"


def _place(position: int | None) -> str:
    if position is None:
        return _("Waiting to start")
    return _("Next in the queue") if position == 1 else _("Number {place} in the queue", place=position)


def _running(job: Job, progress: Progress) -> str:
    if not job.held and _studii_status(job) in _FINISHED_STATUSES:
        return _("Fetching the result from Studii…")
    parts = [sentence(reason_words(job.held)) if job.held else _at_studii(job)]
    if job.submitted_at is not None:
        parts.append(_("started {when}", when=discord_timestamp(job.submitted_at)))
    if progress.late and not job.held:
        parts.append(_("taking longer than usual"))
    elif progress.ends_at is not None and not job.held:
        parts.append(_("expected {when}", when=discord_timestamp(progress.ends_at)))
    return " · ".join(parts)


def _at_studii(job: Job) -> str:
    status = _studii_status(job)
    if status == "queued":
        return _("Queued at Studii")
    if status and status not in _PLAIN_STATUSES:
        return _("Studii is working on it ({status})", status=plain(status, VALUE_LENGTH))
    return _("Studii is working on it")


def _studii_status(job: Job) -> str:
    return (job.studii_status or "").strip().lower()


def _done(job: Job) -> str:
    if job.finished_at is None:
        return _("Done")
    # The time that moderators took is not the job's.
    began = job.created_at if job.approval is None else job.submitted_at or job.created_at
    seconds = max(1, round((job.finished_at - began).total_seconds()))
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return _("Done in {seconds} s", seconds=seconds)
    if minutes < 60:
        return _("Done in {minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return _("Done in {hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
