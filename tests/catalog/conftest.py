"""The tools that ship."""

import pytest

from bot.catalog import Catalog, Tool


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    return Catalog.load()


@pytest.fixture
def studio(shipped: Catalog) -> Tool:
    return shipped.get("studio")
