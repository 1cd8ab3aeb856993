"""Panels of jobs."""

from bot.catalog import Catalog
from bot.jobs.models import Job, Progress
from bot.jobs.results import EndOfJobs, Part
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.result import ShownPhoto, result
from bot.ui.kit.layout import Panel
from tests.support.desk import texts

CATALOG = Catalog.load()


def alone(job: Job) -> EndOfJobs:
    """The end of a job that is of no set."""
    return EndOfJobs((Part(job, 1, None),), (job,))


def shown_with(job: Job, *files: str, why: str = "") -> Panel:
    """The job's result with these files, or without any, and why."""
    return result(alone(job), CATALOG, {job.id: ShownPhoto(files, [why])})


def progress_words(job: Job, position: int | None = None) -> str:
    return texts(progress_panel([job], CATALOG, Progress(position)))
