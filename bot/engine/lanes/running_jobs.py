"""The running jobs as they are in the database, so that a poll does not have to ask for them."""

from bot.aio.bounded import BoundedDict
from bot.jobs.models import Job, JobState
from bot.servers.keys import StudiiKey
from bot.storage import Changes

MAX_KNOWN_JOBS = 2000
MAX_KNOWN_KEYS = 500


class RunningJobs:
    """Follows all changes in order, and forgets everything when a change is not named."""

    def __init__(self) -> None:
        self._jobs = BoundedDict[str, Job](MAX_KNOWN_JOBS)
        self._keys = BoundedDict[int, StudiiKey](MAX_KNOWN_KEYS)

    def notify(self, changes: Changes) -> None:
        """Take over what a transaction has changed."""
        if changes.others:
            self._jobs.clear()
            self._keys.clear()
            return
        for job in changes.jobs.values():
            if job.state is JobState.RUNNING and job.output_url is None:
                self._jobs[job.id] = job
            else:
                self._jobs.pop(job.id, None)

    def keep(self, job: Job, key: StudiiKey) -> None:
        """Remember a job and its key, which a transaction that writes has read."""
        self._jobs[job.id] = job
        self._keys[key.id] = key

    def get(self, job_id: str) -> tuple[Job, StudiiKey] | None:
        """Return a running job and the key that it was submitted with, or None if one is not known."""
        job = self._jobs.get(job_id)
        key = None if job is None or job.key_id is None else self._keys.get(job.key_id)
        return None if job is None or key is None else (job, key)
