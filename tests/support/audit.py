"""Ask pip-audit whether a locked package has a known vulnerability: `python -m tests.support.audit FILE`.

One that is found fails. A service that can't be reached, or that does not know the packages, is said and
fails nothing: a check must work without a network too.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS = 180
# The output of pip-audit, or the exception that it lets through, if the service could not be reached.
_AWAY = re.compile(r"may be blocking this service|requests\.exceptions\.|urllib3\.exceptions\.|ServiceError")
_ENTRY = re.compile(r"^\S+==.*(?:\n[ \t].*)*\n", re.MULTILINE)


class NotAsked(Exception):
    """The service that knows of vulnerabilities could not be asked; says why."""


def main(arguments: Sequence[str]) -> int:
    """Audit the requirements file that comes first; further arguments are pip-audit's. Returns the exit
    status."""
    file, *options = arguments
    entries = _ENTRY.findall(Path(file).read_text("utf-8"))
    try:
        # One package is asked for first, so that a service that is away costs one request.
        _ask(entries[:1], options)
        found, unknown = _ask(entries, options)
    except NotAsked as reason:
        sys.stdout.write(f"pip-audit: {file} was not audited. {reason}\n")
        return 0
    for line in found:
        sys.stdout.write(f"{line}\n")
    if unknown:
        sys.stdout.write(f"pip-audit: the service doesn't know {', '.join(unknown)}.\n")
    count = len(found) or "no"
    sys.stdout.write(f"pip-audit: {len(entries)} packages of {file} have {count} known vulnerabilities.\n")
    return 1 if found else 0


def _ask(entries: Sequence[str], options: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a line for each vulnerability of the entries, and the packages that the service doesn't know.

    Raises `NotAsked`, also if it knows none of them: then it is no such service.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(entries), "utf-8")
        packages = _report(file, options)["dependencies"]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    if len(unknown) == len(packages):
        raise NotAsked("The service for vulnerabilities can't be used from here: it knows no package.")
    return [
        f"{one['name']} {one['version']}: {flaw['id']}, {_fixed_in(flaw)}"
        for one in packages
        for flaw in one.get("vulns", [])
    ], unknown


def _fixed_in(flaw: dict[str, Any]) -> str:
    return f"fixed in {' or '.join(flaw['fix_versions'])}" if flaw["fix_versions"] else "no fix yet"


def _report(file: Path, options: Sequence[str]) -> dict[str, Any]:
    command = (
        *(sys.executable, "-m", "pip_audit", "--requirement", str(file), "--require-hashes", "--disable-pip"),
        *("--format", "json", "--progress-spinner", "off", *options),
    )
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise NotAsked(f"The service for vulnerabilities did not answer within {SECONDS} s.") from None
    if ran.stdout.strip():
        return json.loads(ran.stdout)
    if _AWAY.search(ran.stderr):
        raise NotAsked(f"The service for vulnerabilities can't be reached: {ran.stderr.splitlines()[-1]}")
    raise SystemExit(f"pip-audit itself failed:\n{ran.stderr}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
