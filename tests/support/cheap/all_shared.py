"""All that tests and the processes that they start share, whatever they show."""

import pytest

from tests.support.cheap.commands import share_words
from tests.support.cheap.compiled import share_compiled_statements
from tests.support.cheap.extensions import share_extensions
from tests.support.cheap.payloads import share_payloads
from tests.support.cheap.scripts import share_migrations


def share_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bots have what others in this process have compiled, loaded, described and translated."""
    share_compiled_statements(monkeypatch)
    share_extensions(monkeypatch)
    share_migrations(monkeypatch)
    share_payloads(monkeypatch)
    share_words(monkeypatch)
