"""Facts and pure rules: jobs, servers, the ledger, notices, access. Frozen values without I/O.

Times are aware and in UTC; credits are whole numbers.
"""

from bot.domain.delivery import (
    Announcement,
    ChannelGone,
    ForModerators,
    OutputFile,
    Posted,
    TooMuch,
    TryLater,
    Undeliverable,
)
from bot.domain.guilds import Budget, Period, Plan, ServerLanguage
from bot.domain.jobs.job import FORGOTTEN_MEMBER, Hold, Job, Progress
from bot.domain.jobs.request import SPOILER, UNKNOWN_MEMBER, JobRequest, MemberContext, SourcePhoto
from bot.domain.jobs.states import (
    ACTIVE_STATES,
    KEPT_DAYS,
    LOST_AFTER_DAYS,
    NEXT_STATES,
    SENT_STATES,
    TERMINAL_STATES,
    UNRULED_DAYS,
    UNSENT_STATES,
    UNSHOWN_STATES,
    FailureCode,
    JobState,
)
