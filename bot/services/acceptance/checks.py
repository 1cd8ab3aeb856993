"""Check a request against the server's state that no job changes: whether it is open, its words, its key."""

from datetime import datetime

from bot.catalog import Tool
from bot.errors import Refused
from bot.features.wording import NO_KEY
from bot.features.words import WordEffect, WordsRefused, met_by
from bot.jobs import holds as key_holds
from bot.jobs.models import Approval, JobRequest, JobState
from bot.languages import lazy
from bot.servers.config import ServerConfig
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings
from bot.services.acceptance.errors import KeyHeld, KeyOutOfCredits

NEW_JOBS_PAUSED = lazy(
    "New jobs are paused in this server. Jobs already started will finish. An admin can "
    "resume with `/studii resume`."
)


def ensure_open(settings: GuildSettings) -> None:
    """Raise `Refused` while the server takes no jobs of any member."""
    if settings.key_id is None:
        raise Refused(NO_KEY)
    if settings.paused:
        raise Refused(NEW_JOBS_PAUSED)


def approval_of(config: ServerConfig, request: JobRequest, tool: Tool) -> Approval | None:
    """Return whether the job needs a moderator's approval. Raises `WordsRefused` if a rule refuses it."""
    rules, context = config.access.approval, request.context
    rule = met_by(config.words, request, tool)
    if rule is not None and (rule.effect is WordEffect.REFUSE or rules.channel_id is None):
        raise WordsRefused(rule, request, tool)
    if rule is not None or rules.wants(tool.slug, context.roles, manages=context.manages):
        return Approval.WANTED
    return None


def ensure_not_held(config: ServerConfig, key: StudiiKey, now: datetime) -> None:
    """Raise `Refused` while it is known that Studii would not take the job; the first after that tries."""
    hold = config.hold
    if hold is None or not key_holds.refuses(hold, key, now):
        return
    refusal = KeyOutOfCredits if key_holds.waits_for_credits(hold) else KeyHeld
    raise refusal(hold.reason, hold.until)


def first_state(request: JobRequest, config: ServerConfig, approval: Approval | None) -> JobState:
    """Return the state that an accepted job begins in.

    What needs neither a photo nor an approval, with a key that is not held, has nothing to be made ready for.
    """
    # Also one that the hold does not refuse takes it over, as it may be the one that is to try the key.
    ready = request.source is None and approval is None and config.hold is None
    return JobState.WAITING if ready else JobState.RECEIVED
