"""`make cluster`: three processes on one PostgreSQL, killed, stopped and replaced one after the other.

All times are those of earnest: leases of 20 seconds, five seconds between two connections to Discord.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console

from bot.migrate import migrate
from sandbox.studii import Options
from sandbox.studii.jobs import Durations
from tests.cluster.trial import Crowd, Trial, crowd_asks
from tests.cluster.world import cluster, servers
from tests.support.postgresql import new_database, server

SHARDS, PER_PROCESS, PROCESSES = 4, 2, 3
SERVERS, JOBS = 12, 200
LASTS = 200.0  # seconds in which the jobs are asked for
HANG = 45.0  # seconds
AWAY = 30.0  # seconds without PostgreSQL
TAKES = Options(long_side=64, durations=Durations(image=4.0, video=8.0, spread=0.5))


# Long: one run from its beginning to its end, in order.
async def main(console: Console) -> bool:
    began = monotonic()

    def say(words: str) -> None:
        console.print(f"{monotonic() - began:6.1f} s  {words}", highlight=False)

    with server() as postgresql, TemporaryDirectory(prefix="studii-cluster-") as folder:
        url = await new_database(postgresql.url)
        await migrate(url)
        guilds = servers(SERVERS)
        world = cluster(Path(folder), "", guilds, shards=SHARDS, options=TAKES, lease=None, url=url)
        async with world as own:
            crowd = Crowd(own, guilds)
            trial = Trial(own, postgresql, SHARDS, PER_PROCESS, hang=HANG, away=AWAY)
            async with trial.running(PROCESSES):
                say(f"{PROCESSES} processes run, and serve {SHARDS} shards with {SERVERS} servers.")
                asking = asyncio.create_task(crowd_asks(crowd, JOBS, LASTS))
                await asyncio.sleep(10)
                for what, act in (
                    ("killed", lambda: trial.kill(signal.SIGKILL)),
                    (f"stopped for {HANG:.0f} s and continued", trial.stop_and_continue),
                    ("ended, and replaced as in an update", lambda: trial.kill(signal.SIGTERM)),
                ):
                    say(f"One is {what} …")
                    await act()
                    say("… and all shards are served.")
                say(f"PostgreSQL is away for {AWAY:.0f} s …")
                await trial.restart_database()
                say("… and back.")
                await trial.kill(signal.SIGKILL)
                say("Another one was killed, and all shards are served.")
                await asking
                await trial.ended()
                wrong = await trial.complaints(crowd)
                jobs = await own.jobs()
        unknown = sum(job.state == "unknown" for job in jobs)
        say(
            f"{len(jobs)} jobs ended, {unknown} of them unknown; {crowd.unanswered} commands met nobody, and"
            f" {crowd.refused} were told to try again. Longest silence of a server:"
            f" {max(crowd.silences.values()):.1f} s. {len(wrong)} broken promises."
        )
        for line in wrong:
            console.print(f"  {line}", markup=False, soft_wrap=True)
        return not wrong


if __name__ == "__main__":
    logging.disable()
    sys.exit(0 if asyncio.run(main(Console())) else 1)
