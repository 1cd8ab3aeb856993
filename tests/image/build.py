"""Builds the image with Debian's tools: its base comes from debootstrap, the rest from the Dockerfile.

Or takes one that docker has built.
"""

import json
import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ("buildah", "debootstrap", "unshare", "mount", "chroot")
SUITE = "trixie"
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
BASE, IMAGE = "localhost/studii-check-base", "localhost/studii-check"
CERTIFICATES = Path("/etc/ssl/certs")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Image:
    """The built image: the folder of its files, what it says of itself, and its own part's size."""

    root: Path
    config: dict[str, Any]
    own_megabytes: int

    @property
    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.config["Env"])


def missing() -> str | None:
    """Return why the image can't be built here, or None."""
    if lacking := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(lacking)} can't be found (Debian's packages buildah, debootstrap and netavark)"
    return "only root can do that" if os.geteuid() != 0 else None


def build(folder: Path) -> Image:
    """Build it. `folder` keeps the base, which is made once, and everything that buildah keeps."""
    base = folder / "base"
    if not (base / "usr/bin/python").exists():
        _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(base))
        (base / "usr/bin/python").symlink_to("python3")
    buildah = _Buildah(folder / "containers")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(base), "/")
    buildah("commit", "--quiet", container, BASE)
    buildah(
        *("bud", "--quiet", "--pull=never", "--network=host", "--layers=false", *_limits()),
        *(f"--volume={CERTIFICATES}:{CERTIFICATES}:ro", f"--build-arg=BASE_IMAGE={BASE}", f"--tag={IMAGE}"),
        str(ROOT),
    )
    config = json.loads(buildah("inspect", "--type=image", IMAGE))["OCIv1"]["config"]
    root = Path(buildah("mount", buildah("from", "--pull=never", IMAGE)))
    return Image(root, config, _size(root) - _size(base))


def exported(name: str, folder: Path) -> Image:
    """Return an image that docker has, with its files in `folder`."""
    container = _run("docker", "create", name).strip()
    archive, root = folder / "image.tar", folder / "root"
    root.mkdir()
    _run("docker", "export", f"--output={archive}", container)
    _run("docker", "rm", container)
    _run("tar", "--extract", f"--file={archive}", f"--directory={root}")
    config = json.loads(_run("docker", "image", "inspect", name))[0]["Config"]
    return Image(root, config, 0)


def _limits() -> list[str]:
    """Return this process's limits: buildah wants to raise them, which not every host allows."""
    named = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    limits = {name: resource.getrlimit(number) for name, number in named.items()}
    return [f"--ulimit={name}={soft}:{hard}" for name, (soft, hard) in limits.items()]


class _Buildah:
    def __init__(self, store: Path) -> None:
        self._store = store
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}  # which works in a container too

    def __call__(self, *words: str) -> str:
        # vfs mounts nothing, so that the folder can simply be removed.
        where = (f"--root={self._store / 'root'}", f"--runroot={self._store / 'run'}", "--storage-driver=vfs")
        return _run("buildah", *where, *words, environment=self._environment).strip()


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    ran = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True
    )
    if ran.returncode:
        raise SystemExit(f"{' '.join(command[:6])} … failed:\n{ran.stdout[-1000:]}{ran.stderr[-4000:]}")
    return ran.stdout


def _size(folder: Path) -> int:
    """Return the megabytes of the files below."""
    sizes = (one.lstat().st_size for one in folder.rglob("*") if one.is_file() and not one.is_symlink())
    return sum(sizes) // _MEGABYTE
