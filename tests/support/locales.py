"""Discord's apps in other languages."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from simcord import interactions


@contextmanager
def app_in(locale: str) -> Generator[None]:
    """Let people's Discord apps be set to that language."""
    payload_of = interactions.base_payload

    def localised(*given: Any, **named: Any) -> Any:
        record, payload = payload_of(*given, **named)
        return record, payload | {"locale": locale}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interactions, "base_payload", localised)
        yield
