"""The settings of a test: a token, and what is told when one is wrong."""

import pytest

from bot.config import Settings
from bot.errors import SettingsError

TOKEN = "discord.token.for-tests"


def complaint() -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    line = str(caught.value)
    assert "\n" not in line
    return line
