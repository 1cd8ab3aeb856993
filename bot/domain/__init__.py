"""Facts and pure rules: jobs, servers, the ledger, notices, access. Frozen values without I/O.

Times are aware and in UTC; credits are whole numbers.
"""

from bot.domain.decoding import DecodeRecord, FileRole
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
from bot.domain.guilds import Budget, GuildSettings, LogSettings, Period, Plan, StudiiKey
from bot.domain.jobs import (
    ACTIVE_STATES,
    KEPT_DAYS,
    LOST_AFTER_DAYS,
    NEXT_STATES,
    SENT_STATES,
    SPOILER,
    TERMINAL_STATES,
    UNRULED_DAYS,
    UNSENT_STATES,
    UNSHOWN_STATES,
    FailureCode,
    Job,
    JobRequest,
    JobState,
    Progress,
    SourcePhoto,
)
from bot.domain.ledger import FORGOTTEN_MEMBER, EntryKind, LedgerEntry, LedgerLine, Spending, Usage, Window
from bot.domain.notices import Notice, NoticeKind

__all__ = [
    "ACTIVE_STATES",
    "FORGOTTEN_MEMBER",
    "KEPT_DAYS",
    "LOST_AFTER_DAYS",
    "NEXT_STATES",
    "SENT_STATES",
    "SPOILER",
    "TERMINAL_STATES",
    "UNRULED_DAYS",
    "UNSENT_STATES",
    "UNSHOWN_STATES",
    "Announcement",
    "Budget",
    "ChannelGone",
    "DecodeRecord",
    "EntryKind",
    "FailureCode",
    "FileRole",
    "ForModerators",
    "GuildSettings",
    "Job",
    "JobRequest",
    "JobState",
    "LedgerEntry",
    "LedgerLine",
    "LogSettings",
    "Notice",
    "NoticeKind",
    "OutputFile",
    "Period",
    "Plan",
    "Posted",
    "Progress",
    "SourcePhoto",
    "Spending",
    "StudiiKey",
    "TooMuch",
    "TryLater",
    "Undeliverable",
    "Usage",
    "Window",
]
