"""`python -m sandbox.studii`: serve the API until Ctrl-C."""

import argparse
import asyncio
import contextlib
import signal

from rich.console import Console

from sandbox.studii.jobs import PROMPT_CONVENTIONS
from sandbox.studii.server import StudiiServer
from sandbox.studii.world import Options


async def serve(port: int, options: Options, balance: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    console = Console(highlight=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(name, stop.set)
    async with StudiiServer(options, port=port) as server:
        key = server.add_key("pro", balance)
        console.print(f"Studii API  {server.url}")
        console.print(f"A Pro key   {key.secret}  ({balance} credits)")
        for word, effect in PROMPT_CONVENTIONS.items():
            console.print(f"  {word:<15} in a prompt: {effect}", markup=False)
        console.print("Press Ctrl-C to stop.")
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.studii", description="The Studii API on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--speed", type=float, default=1.0, help="10 makes jobs ten times as fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--balance", type=int, default=1000, help="credits of the printed key")
    args = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(args.port, Options(seed=args.seed, speed=args.speed), args.balance))


if __name__ == "__main__":
    main()
