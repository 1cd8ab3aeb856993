"""What a panel of a job says, and the labels on its buttons."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.catalog import Catalog
from bot.jobs.models import Job, Progress
from bot.jobs.results import EndOfJobs, Part
from bot.ui.jobs.progress import progress_panel
from bot.ui.jobs.result import ShownPhoto, result
from bot.ui.kit.layout import Panel

CATALOG = Catalog.load()


def pieces_of(components: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the components, and those in them."""
    for component in components:
        yield component
        yield from pieces_of(component.get("components", ()))


def words(panel: Panel) -> str:
    return "\n".join(piece["content"] for piece in pieces_of(panel.to_components()) if piece["type"] == 10)


def labels_of(panel: Panel) -> list[str]:
    return [piece["label"] for piece in pieces_of(panel.to_components()) if piece["type"] == 2]


def alone(job: Job) -> EndOfJobs:
    """The end of a job that is of no set."""
    return EndOfJobs((Part(job, 1, None),), (job,))


def shown_with(job: Job, *files: str, why: str = "") -> Panel:
    """The job's result with these files, or without any, and why."""
    return result(alone(job), CATALOG, {job.id: ShownPhoto(files, [why])})


def progress_words(job: Job, position: int | None = None) -> str:
    return words(progress_panel([job], CATALOG, Progress(position)))
