"""The Studii API: a client, its answers and its errors."""

from bot.studii.answers import CreatedJob, JobReport, UploadTarget
from bot.studii.client import USER_AGENT, Download, StudiiClient, Timeouts
from bot.studii.errors import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    DownloadFailed,
    JobNotFound,
    KeyRefused,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    OutputGone,
    PlanRefused,
    RateLimited,
    StudiiError,
    TooLarge,
    UploadFailed,
)
