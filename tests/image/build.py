"""Builds the image with Debian's tools, and runs commands in its files as a container does.

Its base comes from debootstrap, the rest from the Dockerfile; or docker has built it. A command has the
image's user, and only /tmp and a volume to write.
"""

import asyncio
import json
import os
import resource
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import killed_at_the_end

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


# Each command takes the process's place, so that a signal reaches the bot.
ENCLOSE = """
set -e
root=$1 data=$2 volume=$3 user=$4; shift 4
mkdir -p "$root$volume"
mount --bind "$root" "$root"
mount --bind "$data" "$root$volume"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user:$user" "$root" "$@"
"""
# Only Discord's addresses are changed. The second is used once a session was refused, as a hasty one is.
LAUNCH = """
import sys, discord.gateway, discord.http, yarl
discord.http.Route.BASE = sys.argv[1]
gateway = yarl.URL(sys.argv[1]).with_path("/gateway/").with_scheme("ws")
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
from bot.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@dataclass(frozen=True, slots=True)
class Container:
    """The image with a volume, and the settings that it is started with.

    `data` is the volume's folder here, `volume` its place in the container. `user`: by default the image's.
    """

    image: Image
    data: Path
    discord: str
    settings: dict[str, str]
    volume: str = "/data"
    user: str = ""

    @asynccontextmanager
    async def started(
        self, *arguments: str, code: str = LAUNCH
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Start it with these arguments, or other code; it is killed at the end if it still runs."""
        user = self.user or self.image.config["User"]
        os.chown(self.data, int(user), int(user))
        environment = {**self.image.environment, **self.settings}
        enclose = ("unshare", "--mount", "--propagation=private", "sh", "-c", ENCLOSE, "sh")
        pairs = [f"{name}={value}" for name, value in environment.items()]
        process = await asyncio.create_subprocess_exec(
            *(*enclose, str(self.image.root), str(self.data), self.volume, user, "env", "-i", *pairs),
            *("python", "-c", code, self.discord, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with killed_at_the_end(process):
            yield process

    async def ran(
        self, *arguments: str, given: bytes = b"", code: str = LAUNCH
    ) -> tuple[int | None, bytes, str]:
        """Run it to its end. Return its exit status, and what it wrote to both outputs."""
        async with self.started(*arguments, code=code) as process:
            out, errors = await asyncio.wait_for(process.communicate(given), 120)
            return process.returncode, out, errors.decode()
