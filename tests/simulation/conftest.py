"""What the simulation's tests share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _without_a_log() -> Iterator[None]:
    """Keep no log: its tracebacks would hold what killed processes leave, and all faults are told in it."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
