"""`python -m sandbox.discord.emulator`: the emulator as a process of its own.

It prints one line of JSON with its addresses, and ends when its standard input does.
"""

import argparse
import asyncio
import json
import os
import sys
import threading

from sandbox.discord.emulator.control import CONTROL, Control
from sandbox.discord.emulator.server import DiscordServer
from sandbox.discord.emulator.sessions import Rules


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.discord.emulator", description=__doc__)
    parser.add_argument("--guilds", type=int, nargs="*", default=[], metavar="ID")
    parser.add_argument("--message-content", action="store_true")
    parser.add_argument("--shards", type=int, default=1, help="how many the gateway recommends")
    parser.add_argument("--identify-every", type=float, default=5.0, help="seconds between two IDENTIFYs")
    parser.add_argument("--without-limits", action="store_true", help="no request is too many")
    return parser.parse_args()


async def main(given: argparse.Namespace) -> None:
    rules = Rules(shards=given.shards, identify_every=given.identify_every)
    server = DiscordServer(message_content=given.message_content, guilds=given.guilds, rules=rules)
    if given.without_limits:
        server.limits.limits = None
    server.extend = Control(server).add_to
    async with server:
        addresses = {
            "api": server.api,
            "gateway": server.gateway,
            "cdn_address": server.cdn_address,
            "control": f"{server.address}{CONTROL}",
        }
        sys.stdout.write(f"{json.dumps(addresses)}\n")
        sys.stdout.flush()
        await _input_ended()


async def _input_ended() -> None:
    """Wait for the end of standard input, in a thread: a loop can't wait for a file, nor for /dev/null."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def read() -> None:
        try:
            while os.read(0, 65536):
                pass
        except OSError:  # it was closed before
            pass
        loop.call_soon_threadsafe(ended.set)

    # The process doesn't wait for it after Ctrl-C.
    threading.Thread(target=read, name="standard input", daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(_arguments()))
