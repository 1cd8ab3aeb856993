"""Print what is in the image, and under which licences, as it is found there when the image is built."""

import platform
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pi_heif  # pyright: ignore[reportMissingTypeStubs]

HEAD = """\
Studii for Discord is under the MIT License: /app/LICENSE. The image also has the following, each under its
own licence. Files are named by their place in the image. The sources of Debian's packages are at
https://snapshot.debian.org.
"""
LONGEST_NAME = 40
TEXTS = re.compile(r"LICEN[CS]E|COPYING|NOTICE|COPYRIGHT", re.IGNORECASE)
# Wheels with libraries of others list them so.
BUNDLED = re.compile(
    r"^Name: (\S+)\nLicense: (.+)\n(?:.*\n)*?(?: *Source code: (\S+)\n|(?=\n|\Z))", re.MULTILINE
)


def licence_of(package: Distribution) -> str:
    """Return the licence that a package's metadata names."""
    found: Any = package.metadata
    named: str = found.get("License-Expression") or found.get("License", "")
    classes = [
        one.split(" :: ")[-1] for one in found.get_all("Classifier", []) if one.startswith("License ::")
    ]
    if len(named) > LONGEST_NAME:  # a whole text
        named = ""
    return named or ", ".join(classes)


def versions(package: Distribution) -> dict[str, str]:
    """Return the versions of libraries in a wheel whose list of them may be older than they are."""
    if package.name.lower().replace("_", "-") != "pi-heif":
        return {}
    library: Any = pi_heif
    told = library.libheif_info()
    decoder = re.search(r"version (\S+)", told["decoders"]["libde265"])
    return {"libheif": told["libheif"], "libde265": decoder[1] if decoder else "unknown"}


def described(package: Distribution) -> str:
    """Return the lines about a package: its licence, the libraries in its wheel, and where the texts are."""
    files = package.files or []
    texts = [
        Path(str(package.locate_file(one))) for one in files if TEXTS.search(one.name) and one.suffix != ".py"
    ]
    libraries = {re.split(r"[-.]", one.name)[0] for one in files if one.parts[0].endswith(".libs")}
    lines = [f"{package.name} {package.version}: {licence_of(package)}"]
    found = versions(package)
    for text in texts:
        for name, licence, source in BUNDLED.findall(text.read_text("utf-8", "replace")):
            if {name, f"lib{name}"} & libraries:
                libraries -= {name, f"lib{name}"}
                if name in found:
                    source = re.sub(r"(/v)[^/]+$", rf"\g<1>{found[name]}", source)
                lines.append(
                    f"  with {' '.join((name, found.get(name, ''))).rstrip()}: {licence} {source}".rstrip()
                )
    if libraries:
        lines.append(f"  with {', '.join(sorted(libraries))}: see the texts")
    return "\n".join([*lines, *(f"  {text}" for text in texts)])


def of_debian() -> list[str]:
    """Return a line for each of Debian's packages."""
    asked = ("dpkg-query", "--show", "--showformat=${Package} ${Version}\n")
    packages = subprocess.run(  # noqa: S603
        asked, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [f"{one}\n  /usr/share/doc/{one.split()[0]}/copyright" for one in packages]


def notice() -> str:
    """Return the whole text."""
    base = sysconfig.get_path("purelib", vars={"base": sys.base_prefix})
    packages = {one.name.lower(): described(one) for one in distributions(path=[*sys.path[1:], base])}
    python = f"Python {platform.python_version()}: PSF-2.0\n  https://docs.python.org/3/license.html"
    return "\n".join([HEAD, python, *(packages[name] for name in sorted(packages)), *of_debian(), ""])


if __name__ == "__main__":
    sys.stdout.write(notice())
