"""The custom ids of buttons about a job, so that they work after any restart."""


def template_of(action: str) -> str:
    """The custom ids of a button: its action, the job, and the number of the posting that it stands in."""
    return rf"studii:{action}:(?P<job>[0-9a-f]{{16}})-(?P<posting>[0-9]+)"


def custom_id_of(action: str, job_id: str, posting: int) -> str:
    """The custom id of the button that does `action` for what a job has posted."""
    return f"studii:{action}:{job_id}-{posting}"
