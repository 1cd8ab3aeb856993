"""Doctor's checks of the settings and of the permissions of `.env`."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bot.cli.findings import Finding, Verdict

BY_OTHERS = stat.S_IROTH | stat.S_IWOTH
BY_GROUP = stat.S_IRGRP | stat.S_IWGRP


def settings(wrong: Mapping[str, str]) -> list[Finding]:
    """Report each invalid setting, the source of the settings, and a readable `.env` with secrets."""
    file = Path(".env").absolute()
    beside = f"{file} and the environment" if file.exists() else f"the environment; {file} doesn't exist"
    found = [Finding("Settings", Verdict.STOPS, sentence) for sentence in dict.fromkeys(wrong.values())]
    found = found or [Finding("Settings", Verdict.GOOD, f"From {beside}.")]
    if (who := _who_reads(file)) and _holds_a_secret(file):
        words = f"{who} can read or change {file}, which holds secrets. Run: chmod 600 {file}"
        found.append(Finding(".env", Verdict.WARN, words))
    return found


def _who_reads(file: Path) -> str | None:
    """Say who else than its owner can read or change the file. None if nobody can."""
    if os.name != "posix" or not file.is_file():
        return None
    found = file.stat()
    if found.st_mode & BY_OTHERS:
        return "Every user of this machine"
    if found.st_mode & BY_GROUP and not _own_group(found.st_uid, found.st_gid):
        return f"Every user in the group {_name_of_group(found.st_gid)}"
    return None


def _own_group(user: int, group: int) -> bool:
    """Return whether the group is the user's own: it has the same name or number, and no other member."""
    import grp
    import pwd

    try:
        owner, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return user == group
    return found.gr_name == owner.pw_name and set(found.gr_mem) <= {owner.pw_name}


def _name_of_group(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)


def _holds_a_secret(file: Path) -> bool:
    try:
        written = dotenv_values(file, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True  # it is not known, and told by another line
    values = {name.upper(): value or "" for name, value in written.items()}
    # An address holds a secret if a password stands in it.
    addresses = any("@" in values.get(name, "") for name in ("DATABASE_URL", "HTTPS_PROXY"))
    return addresses or any(values.get(name) for name in ("DISCORD_TOKEN", "ENCRYPTION_KEYS"))
