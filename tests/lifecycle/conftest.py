"""What changes with a job's state is seen through the services."""

from tests.services.conftest import world

__all__ = ["world"]
