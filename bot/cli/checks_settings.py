"""What `doctor` looks at in the settings: which are wrong, and who can read `.env`."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bot.cli.findings import Finding, Verdict

BY_OTHERS = stat.S_IROTH | stat.S_IWOTH


def settings(wrong: Mapping[str, str]) -> list[Finding]:
    """Each wrong setting, where the settings come from, and whether `.env` keeps its secrets."""
    file = Path(".env").absolute()
    beside = f"{file} and the environment" if file.exists() else f"the environment; there is no {file}"
    found = [Finding("Settings", Verdict.STOPS, sentence) for sentence in wrong.values()]
    found = found or [Finding("Settings", Verdict.GOOD, f"From {beside}.")]
    if os.name == "posix" and file.is_file() and file.stat().st_mode & BY_OTHERS and _holds_a_secret(file):
        words = (
            f"Every user of this machine can read or change {file}, and it holds secrets. "
            f"Close it: chmod 600 {file}"
        )
        found.append(Finding(".env", Verdict.LOOK, words))
    return found


def _holds_a_secret(file: Path) -> bool:
    values = {name.upper(): value or "" for name, value in dotenv_values(file, encoding="utf-8").items()}
    # An address holds a secret if a password stands in it.
    addresses = any("@" in values.get(name, "") for name in ("DATABASE_URL", "HTTPS_PROXY"))
    return addresses or any(values.get(name) for name in ("DISCORD_TOKEN", "ENCRYPTION_KEYS"))
