"""Runs a command in the image's files, as a container does: its user, and only /tmp and a volume to write."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.image.build import Image
from tests.support.process import killed_at_the_end

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
