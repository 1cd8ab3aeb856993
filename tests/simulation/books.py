"""Compares what the bot's database says with what happened in the worlds. It shares no code with the bot.

The database is read here alone, through SQL.
"""

import hashlib
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from sandbox.discord.emulator.interactions import Interaction
from sandbox.studii.jobs import Job as StudiiJob
from tests.simulation import media, wording
from tests.simulation.discord_world import Said
from tests.simulation.world import ADMIN, FORBIDDEN, JOB_ID, MODERATOR, SHOWROOM, Wish, World

ENDS = {"succeeded", "failed", "cancelled", "unknown", "withheld"}
ANSWER_SECONDS = 3.0
NOTED_WITHIN = 2.0  # seconds from when a message is there until the database says so
ACCEPTED_WITHIN = 90.0  # seconds from a request, with a question before it, to its job
ONE_AFTER_ANOTHER = 2.0  # seconds in which a setting may be read before the request it is for
QUIET_MINUTES = 15
QUIET_BOUNDS = {"steps": 1000, "statements": 150, "requests": 0.4, "edits": 0.0}  # of one of these minutes
SOON = 8.0  # seconds
OUTDATED = 20.0  # seconds that progress may be on its way, with tries again
FOR_MODERATORS = f"{wording.RESULT_WAITS}|{wording.RESULT_WITHHELD}"
NUMBER = r"no\. (\d++)(?!…)|photo-(\d+)\."  # a list cuts long prompts, at times within a number
RESULT_NAME = r"-([0-9a-f]{8})\."  # of a file in a result, by the job that made it
UNESCAPED = r"@everyone|<@&8392802304>|(?<!\\)\[link\]\(http|^> .*(?<!\\)\*\*bold"  # see `people.LOUD`

WAYS = {
    "pending": {"waiting", "failed", "cancelled"},
    "received": {"pending", "waiting", "failed", "cancelled"},
    "waiting": {"received", "uploading", "submitting", "cancelled", "failed"},
    "uploading": {"submitting", "waiting", "cancelled", "failed"},
    "submitting": {"running", "waiting", "failed", "unknown"},
    "running": {"succeeded", "reviewing", "failed"},
    "reviewing": {"succeeded", "withheld"},
    "withheld": {"succeeded"},
    "unknown": {"running", "failed"},
}
"""All ways that jobs may go, by the state that they leave."""

OF_SEVERAL = "unknown", "running"
"""The way of a job that one process takes for lost while another still waits for Studii's answer."""


@dataclass(frozen=True)
class Row:
    """A job as the database has it. `number`: of the request that it came of.

    Whose it is, what was asked for and its id at Studii are as they were before they may have been erased.
    """

    order: int
    id: str
    user_id: int
    state: str
    private: bool
    reserved: int
    settled: int
    studii_id: str | None
    prompt: str | None
    photo: str | None
    failure: str | None
    day: str
    finished: int | None
    set_id: str | None
    number: int | None

    def __str__(self) -> str:
        return f"job {self.id} (no. {self.number}, {self.state})"


@dataclass(frozen=True)
class Line:
    """A line of the ledger. `job` is None if an admin granted credits, `user_id` then if to the server."""

    job: str | None
    user_id: int | None
    kind: str
    amount: int
    period: str | None


def number_in(text: str) -> int | None:
    """Return the number in a prompt, or in a photo's name."""
    found = re.search(NUMBER, text)
    return int(found[1] or found[2]) if found else None


def _opened(world: World) -> sqlite3.Connection:
    # A connection that never fails, unlike the bot's.
    return sqlite3.connect(world.machine.database, factory=sqlite3.Connection)


def rows(world: World) -> list[Row]:
    """Read the jobs of the database's file."""
    connection = _opened(world)
    try:
        found = connection.execute(
            "SELECT number, id, simulation_jobs.user_id, state, private, reserved, settled,"
            " simulation_jobs.studii_id, simulation_jobs.prompt, simulation_jobs.photo, failure,"
            " substr(created_at, 1, 10), CAST(strftime('%s', finished_at) AS INT), set_id"
            " FROM jobs JOIN simulation_jobs ON job = id ORDER BY number"
        ).fetchall()
    finally:
        connection.close()
    numbers = {job.id: world.studii.number_of(job) for job in world.studii.jobs}
    made, jobs = dict[str, int | None](), list[Row]()
    for one in found:
        number = numbers.get(one[7]) or number_in(one[8] or "") or number_in(one[9] or "")
        if number is None and (result := re.search(RESULT_NAME, one[9] or "")) is not None:
            number = made.get(result[1])
        made[one[1][:8]] = number
        jobs.append(Row(*one, number=number))
    return jobs


def kept_numbers(world: World) -> set[int]:
    """Return the numbers of all requests of which the database has words, or the folder files."""
    found, connection = set[int](), _opened(world)
    made = {world.studii.sha256_of(job): world.studii.number_of(job) for job in world.studii.jobs}

    def shown(data: bytes) -> set[int]:
        number = made.get(hashlib.sha256(data).hexdigest()) or media.number_of(data)
        return set() if number is None else {number}

    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if not table.startswith(("simulation_", "sqlite_")):
                for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own tables
                    words = " ".join(one for one in row if isinstance(one, str))
                    found |= {int(one) for pair in re.findall(NUMBER, words) for one in pair if one}
                    found |= set[int]().union(*(shown(one) for one in row if isinstance(one, bytes)))
    finally:
        connection.close()
    for path in sorted(world.machine.files.rglob("*")):
        if path.is_file() and not path.name.startswith(world.machine.database.name):
            found |= shown(path.read_bytes())
    return found


def ledger(world: World) -> list[Line]:
    """Read the ledger, oldest line first, and in it when a job's outcome became unknown, or it was found."""
    connection = _opened(world)
    try:
        found = connection.execute(
            "SELECT job_id, user_id, kind, amount, period, id, 0 FROM ledger"
            " UNION ALL SELECT job, NULL, after, 0, NULL, line, rowid FROM simulation_ways"
            " WHERE after = 'unknown' OR (before, after) = ('unknown', 'running') ORDER BY 6, 7"
        ).fetchall()
    finally:
        connection.close()
    return [Line(*one[:5]) for one in found]


def settled(world: World) -> bool:
    """Return whether each job has one of its ends, and each result was shown."""
    books = Books(world)
    shown = (job.state != "succeeded" or books.results_of(job) or books.removed(job) for job in books.jobs)
    return all(job.state in ENDS for job in books.jobs) and all(shown)


def watch(world: World) -> None:
    """Have the database note each job, and each change of its state, from now on."""
    connection = _opened(world)
    connection.executescript(
        "CREATE TABLE simulation_jobs"
        " (job TEXT PRIMARY KEY, user_id INT, prompt TEXT, photo TEXT, studii_id TEXT);"
        "CREATE TRIGGER simulation_made AFTER INSERT ON jobs BEGIN INSERT INTO simulation_jobs VALUES"
        " (new.id, new.user_id, json_extract(new.inputs, '$.prompt'), new.source_name, new.studii_id); END;"
        "CREATE TRIGGER simulation_sent AFTER UPDATE OF studii_id ON jobs WHEN new.studii_id IS NOT NULL"
        " BEGIN UPDATE simulation_jobs SET studii_id = new.studii_id WHERE job = new.id; END;"
        "CREATE TABLE simulation_ways (job TEXT, before TEXT, after TEXT, line INT);"
        "CREATE TRIGGER simulation_changed AFTER UPDATE OF state ON jobs WHEN old.state <> new.state"
        " BEGIN INSERT INTO simulation_ways"
        " SELECT new.id, old.state, new.state, coalesce(max(id), 0) FROM ledger; END;"
    )
    connection.close()


def ways(world: World) -> Counter[tuple[str, str]]:
    """Return how often each way from state to state was taken."""
    connection = _opened(world)
    try:
        found = connection.execute("SELECT before, after, count(*) FROM simulation_ways GROUP BY 1, 2")
        return Counter({(before, after): times for before, after, times in found})
    finally:
        connection.close()


class Books:
    """What the books are compared of: the database, and the worlds."""

    def __init__(self, world: World) -> None:
        self.world, self.jobs, self.ledger = world, rows(world), ledger(world)
        self.number_of = world.studii.number_of
        self.taken = {job.id: job for job in world.studii.jobs}
        self.by_id = {job.id: job for job in self.jobs}
        self.named = {job.id: [job.id] for job in self.jobs}  # by a set's id, too
        for job in self.jobs:
            if job.set_id is not None:
                self.named.setdefault(job.set_id, []).append(job.id)

    def at_studii(self, job: Row) -> StudiiJob | None:
        return self.taken.get(job.studii_id or "")

    @cached_property
    def accepted(self) -> Counter[int | None]:
        """How many jobs came of each number."""
        return Counter(job.number for job in self.jobs)

    @cached_property
    def shown(self) -> dict[str, list[Said]]:
        """Where each file was shown, by its digest; each message counts once."""
        found, seen = defaultdict[str, list[Said]](list), set[tuple[int, str]]()
        for said in self.world.discord.said:
            for file in said.files:
                if (said.message.id, file) not in seen:
                    seen.add((said.message.id, file))
                    found[file].append(said)
        return found

    def results_of(self, job: Row) -> list[Said]:
        """Return the messages that showed a job's result, without those that ask moderators about it."""
        return [one for one in self._showing(job) if not re.search(FOR_MODERATORS, one.words)]

    def reviews_of(self, job: Row) -> list[Said]:
        """Return the messages in which moderators saw a job's result."""
        return [one for one in self._showing(job) if re.search(FOR_MODERATORS, one.words)]

    def thumbnails_of(self, job: Row) -> list[Said]:
        """Return the messages that showed a job's thumbnail."""
        made = self.at_studii(job)
        return [] if made is None else self.shown[self.world.studii.sha256_of(made, small=True)]

    def _showing(self, job: Row) -> list[Said]:
        made = self.at_studii(job)
        return [] if made is None else self.shown[self.world.studii.sha256_of(made)]

    def job_of(self, said: Said) -> Row | None:
        """Return the job whose id all of a message's components name."""
        named = sorted(_ids_in(said) & self.by_id.keys())
        return self.by_id[named[0]] if len(named) == 1 else None

    def jobs_of(self, said: Said) -> set[str]:
        """Return the ids of all jobs that a message's components name, or whose set they name."""
        return {job_id for name in _ids_in(said) for job_id in self.named.get(name, ())}

    def ending(self, wish: Wish) -> float:
        return wish.at + ACCEPTED_WITHIN

    def removed(self, job: Row) -> bool:
        """Return whether the bot was removed from the server while the job may have been under way."""
        return any(
            began < one.at + 3 * 3600 and one.at < ended
            for one in self.world.wishes.get(job.number or 0, [])
            for began, ended in self.world.away
        )

    def certainly(self, job: Row, rule: str, value: object) -> bool:
        """Return whether a setting had this value when the job was accepted, whichever wish it came of."""
        wishes = self.world.wishes.get(job.number or 0, [])
        return bool(wishes) and all(
            self.world.rules.certainly(rule, value, one.at - ONE_AFTER_ANOTHER, self.ending(one))
            for one in wishes
        )

    def most(self, job: Row, rule: str, otherwise: int) -> int:
        """Return the largest value that a limit may have had when the job was accepted."""
        found = [
            int(value)
            for one in self.world.wishes.get(job.number or 0, [])
            for value in self.world.rules.possible(
                rule, one.at - ONE_AFTER_ANOTHER, self.ending(one), otherwise
            )
        ]
        return max(found, default=otherwise)


def never_taken(taken: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ways that no job took, without that which takes several processes."""
    ways = [(before, after) for before in WAYS for after in sorted(WAYS[before])]
    return [way for way in ways if not taken[way] and way != OF_SEVERAL]


def compare(world: World) -> None:
    """Compare all books at the end."""
    books = Books(world)
    world.counts["jobs"] += len(books.jobs)
    for job in books.jobs:
        world.counts[job.state] += 1
    for before, after in ways(world):
        if after not in WAYS.get(before, ()):
            world.breaks(f"a job went from {before} to {after}")
    for book in BOOKS:
        for complaint in book(books):
            world.breaks(complaint)


# Jobs.


def ended(books: Books) -> Iterator[str]:
    """Each job has one of the ends."""
    for job in books.jobs:
        if job.state not in ENDS:
            yield f"{job} waits for ever"


def asked_for(books: Books) -> Iterator[str]:
    """Nothing was accepted that nobody asked for, nor more often than somebody asked for it."""
    for number, times in books.accepted.items():
        wishes = books.world.wishes.get(number or 0, [])
        if number is not None and times > len(wishes):
            yield f"no. {number} was asked for {len(wishes)} times and accepted {times} times"
    for job in books.jobs:
        whose = {wish.user_id for wish in books.world.wishes.get(job.number or 0, [])}
        if whose and job.user_id not in whose:
            yield f"{job} is {job.user_id}'s, who did not ask for it"


def submitted_once(books: Books) -> Iterator[str]:
    """Nothing was submitted more often than it was accepted."""
    for number, times in Counter(books.number_of(job) for job in books.taken.values()).items():
        if times > books.accepted[number]:
            yield f"no. {number} was accepted {books.accepted[number]} times and submitted {times} times"


def allowed(books: Books) -> Iterator[str]:
    """Nothing was accepted that a rule forbade then."""
    for job in books.jobs:
        if books.certainly(job, "paused", True):
            yield f"{job} was accepted while jobs were paused"
        if FORBIDDEN in (job.prompt or "") and books.certainly(job, "word", FORBIDDEN):
            yield f"{job} was accepted with a forbidden word"
        if books.certainly(job, f"blocked {job.user_id}", True):
            yield f"{job} was accepted of {job.user_id}, who is blocked"
        if books.certainly(job, "key", None):
            yield f"{job} was accepted without a key"


def approved(books: Books) -> Iterator[str]:
    """What waits for a moderator is not submitted before one approves it."""
    for job in books.jobs:
        waits = books.certainly(job, "approval", True) and len(books.world.wishes[job.number or 0]) == 1
        if waits and job.prompt and job.studii_id and not {job.number, job.id} & books.world.approved:
            yield f"{job} was submitted, and nobody approved it"


def reviewed(books: Books) -> Iterator[str]:
    """A result that waits for a moderator is seen by moderators alone before one approves it."""
    world = books.world
    for job in books.jobs:
        for said in books.reviews_of(job):
            if said.to not in {None, ADMIN, MODERATOR} or said.message.channel_id != SHOWROOM:
                yield f"{job}: its result waits for a moderator, and was shown to {said.to or 'others'}"
        shown = books.results_of(job)
        wishes = world.wishes.get(job.number or 0, [])
        if not shown or not wishes or not books.certainly(job, "approval", True):
            continue
        since, until = min(one.at for one in wishes) - ONE_AFTER_ANOTHER, shown[0].at
        waits = world.rules.certainly("reviews", True, since, until)
        if waits and not world.reviewed.get(job.id, until + 1) <= until:
            yield f"{job}: its result was shown, and no moderator had approved it"


def with_the_key(books: Books) -> Iterator[str]:
    """Jobs were submitted with the server's key of that moment."""
    for job in books.taken.values():
        keys = books.world.rules.possible("key", job.created - 75, job.created)
        if job.key.hint not in keys:
            yield f"no. {books.number_of(job)} was submitted with {job.key.hint}, not {keys}"


# Credits.


def _costs(books: Books, job: Row, taken: StudiiJob | None) -> list[int]:
    if taken is None:
        return [0]
    keyless = books.removed(job) or books.world.counts["deed: revoke"]  # nobody can ask how it ended
    told = [taken.charged] if job.failure == "lost" and keyless else []
    return [taken.credits_charged(books.world.clock.now), *told]


def charged(books: Books) -> Iterator[str]:
    """Each job was charged what Studii charged, as far as the bot had the key to ask."""
    for job in books.jobs:
        taken = books.at_studii(job)
        if job.state == "unknown":
            if not job.reserved or job.settled:
                yield f"{job} has reserved {job.reserved} and settled {job.settled}"
        elif job.reserved:
            yield f"{job} has still reserved {job.reserved}"
        elif job.failure != "ruled" and job.settled not in (costs := _costs(books, job, taken)):
            yield f"{job} settled {job.settled}, Studii charged {costs[0]}"
    known = {job.studii_id for job in books.jobs}
    unknown = Counter(job.number for job in books.jobs if job.state == "unknown" or job.failure == "ruled")
    lost = Counter(books.number_of(one) for one in books.taken.values() if one.id not in known)
    for number, times in lost.items():
        if times > unknown[number]:
            yield f"no. {number}: {times} jobs at Studii are not stored, and {unknown[number]} are unknown"


def ruled(books: Books) -> Iterator[str]:
    """What an admin said of a job whose outcome is unknown holds."""
    for job in books.jobs:
        rulings = books.world.ruled.get(job.id, [])
        if job.failure == "ruled" and job.settled not in {one.charge for one in rulings}:
            yield f"{job} settled {job.settled}, the admins said {rulings}"
        for one in rulings:
            if one.confirmed and (job.state, job.settled) != ("failed", one.charge):
                yield f"{job} settled {job.settled}, and an admin was told that it is {one.charge}"


def balanced(books: Books) -> Iterator[str]:
    """The ledger says what the jobs say, and each reservation was resolved once."""
    sums = defaultdict[str, Counter[str]](Counter)
    for line in books.ledger:
        if line.job is not None:
            sums[line.job][line.kind] += line.amount
            sums[line.job][f"{line.kind} lines"] += 1
    for job in books.jobs:
        found = sums[job.id]
        if any(found[f"{kind} lines"] > 1 for kind in ("reserve", "settle", "release")):
            yield f"{job} has lines of a kind twice"
        if found["reserve"] + found["correct"] != found["settle"] + found["release"] + job.reserved:
            yield f"{job}: its lines are {dict(found)}, and it has reserved {job.reserved}"
        if found["settle"] != job.settled:
            yield f"{job} settled {job.settled}, its lines say {found['settle']}"


def within_budget(books: Books) -> Iterator[str]:  # noqa: C901 - one walk through the ledger
    """A job was accepted only if the day's budget, the member's allowance and their limit of jobs at once had
    room for it."""
    held, spent, going = dict[str, int](), Counter[tuple[str, int | None]](), set[str]()
    granted, whoever = Counter[tuple[str, bool]](), None
    for line in books.ledger:
        if line.job is None:  # of members' grants, the names may be erased
            granted[(line.period or "")[-10:], line.user_id is not None] += line.amount
            continue
        job = books.by_id.get(line.job)
        if job is None:
            continue
        if line.kind == "reserve":
            others = [books.by_id[one] for one in held if books.by_id[one].day == job.day]
            for rule, who in (("budget", whoever), ("allowance", job.user_id)):
                used = spent[job.day, who]
                used += sum(held[one.id] for one in others if who in {whoever, one.user_id})
                limit = books.most(job, rule, 100_000) + granted[job.day, who is not whoever]
                if used + line.amount > limit:
                    yield f"{job} was accepted for {line.amount} with {used} used of the {rule} of {limit}"
            at_once = books.most(job, "at once", 1000)
            if sum(books.by_id[one].user_id == job.user_id for one in going) >= at_once:
                yield f"{job} is one more than {at_once} at once of {job.user_id}"
            held[line.job] = line.amount
            going.add(line.job)
        elif line.kind == "correct" and line.job in held:
            held[line.job] += line.amount
        elif line.kind in {"settle", "release"} and line.job in held:
            del held[line.job]
            going.discard(line.job)
        elif line.kind == "running":
            going.add(line.job)
        elif line.kind == "unknown":
            going.discard(line.job)
        if line.kind == "settle":
            spent[job.day, whoever] += line.amount
            spent[job.day, job.user_id] += line.amount


def within_limits(books: Books) -> Iterator[str]:
    """Studii never had to refuse a request because there were too many."""
    for hint, times in books.world.studii.over_limit.items():
        yield f"{times} requests of key …{hint} were over its limit"


# What people saw.


def shown_once(books: Books) -> Iterator[str]:
    """Each result was shown once, in its place, and a private one to its person alone."""
    world = books.world
    for job in books.jobs:
        shown = books.results_of(job)
        stayed = [
            one
            for one, after in pairwise(shown)
            if not _lost(world, one, after) and not _unread(world, one, after)
        ] + shown[-1:]
        if job.state == "succeeded" and len(stayed) != 1 and not (not shown and books.removed(job)):
            yield f"{job}: its result was shown {len(shown)} times"
        if job.state in {"failed", "cancelled", "withheld"} and shown:
            yield f"{job}: its result was shown"
        places = {wish.place for wish in world.wishes.get(job.number or 0, [])}
        for said in shown:
            if job.private and said.to != job.user_id:
                yield f"{job} is private, and was shown to others"
            if said.to is None and places and said.message.channel_id not in places | {SHOWROOM}:
                yield f"{job}: its result was shown in {said.message.channel_id}"
            if said.to not in {None, job.user_id}:
                yield f"{job}: its result was shown to {said.to}"


def thumbnails(books: Books) -> Iterator[str]:
    """Those of results are shown to one person at a time, and of a private one to its person alone."""
    for job in books.jobs:
        for said in books.thumbnails_of(job):
            books.world.counts["thumbnails"] += 1
            if said.to is None or (job.private and said.to != job.user_id):
                yield f"{job}: its thumbnail was shown to {said.to or 'all'}"
            if job.state != "succeeded":
                yield f"{job}: it has no result, and its thumbnail was shown"


def _lost(world: World, said: Said, after: Said) -> bool:
    """Return whether the process that sent a message died before it knew of that, and the message was deleted
    before the next process lived, which could not find it and had to send another."""
    deleted, lives = world.discord.deleted.get(said.message.id), world.machine.lives
    if deleted is None or not said.at <= deleted <= after.at:
        return False
    if any(began <= deleted <= ended for began, ended in lives):
        return False
    return _unnoted(world, said, max(ended for _, ended in lives if ended <= deleted))


def _unread(world: World, said: Said, after: Said) -> bool:
    """Return whether the process that sent a message died before it knew of that, and the next one could not
    look for it, as the channel's past could not be read: it is better shown twice than lost."""
    died = min((ended for _, ended in world.machine.lives if ended >= said.at), default=after.at)
    return _unnoted(world, said, died) and any(
        began <= after.at <= ended and channel_id == said.message.channel_id
        for began, ended, channel_id in world.faults.unreadable
    )


def _unnoted(world: World, said: Said, died: float) -> bool:
    """Return whether a process that died then may not have known that it had sent a message."""
    spoilt = any(at == said.at and of == "discord" for at, of, _ in world.faults.spoilt)
    away = any(began <= said.at + 1 and said.at <= ended for began, ended, _ in world.faults.outages)
    return said.at > died - NOTED_WITHIN or spoilt or away


def kept_private(books: Books) -> Iterator[str]:
    """What was asked for privately is private, and its words were seen by its person alone."""
    world = books.world
    private = dict[int, int]()
    for number, wishes in world.wishes.items():
        if all(one.private for one in wishes):
            private[number] = wishes[0].user_id
    for job in books.jobs:
        if job.number in private and not job.private:
            yield f"{job} was asked for privately"
    for said in world.discord.said:
        number = number_in(said.words)
        asks = re.search(f"{wording.REQUEST_WAITS}|{FOR_MODERATORS}", said.words)
        to_moderators = said.message.channel_id == SHOWROOM and asks
        if number in private and said.to != private[number] and not to_moderators:
            yield f"no. {number} is private, and others could read it"


def progress_is_for_one(books: Books) -> Iterator[str]:
    """How a job goes is shown to its person alone."""
    for said in books.world.discord.said:
        if said.to is None and any(one.startswith("studii:cancel:") for one in said.custom_ids):
            yield f"everybody was shown how a job goes: {said.words[:80]!r}"


def no_hourglass_is_left(books: Books) -> Iterator[str]:
    """No photo's message has ⏳ when no job from it goes on."""
    if any(job.state not in ENDS or books.removed(job) for job in books.jobs):
        return
    for message in books.world.discord.messages.values():
        if message.reactions.get(wording.GOES_ON):
            yield f"⏳ is left under message {message.id}"


def no_pings(books: Books) -> Iterator[str]:
    """No message notified others than the one it is for, and no one's words were more than words."""
    for said in books.world.discord.said:
        allowed = {"parse": ["everyone", "roles", "users"]} if said.pings is None else said.pings
        parse = set(allowed.get("parse") or ())
        everyone = "everyone" in parse and re.search(r"@(everyone|here)\b", said.words)
        users = set(re.findall(r"<@!?(\d+)>", said.words))
        if "users" not in parse:
            users &= {str(one) for one in allowed.get("users") or ()}
        if (everyone or len(users) > 1) and not said.edited and said.to is None:
            yield f"a message notified {'everyone' if everyone else sorted(users)}: {said.words[:80]!r}"
        if re.search(UNESCAPED, said.words, re.MULTILINE):
            yield f"somebody's words were not escaped: {said.words[:120]!r}"


def truthful(books: Books) -> Iterator[str]:
    """What a message said of a job's end and its price was so when it was shown."""
    for said in books.world.discord.said:
        job = books.job_of(said)
        if job is None:
            continue
        taken = books.at_studii(job)
        cost, *told = _costs(books, job, taken)
        if job.failure == "ruled" or _is_listing(said):
            continue
        if re.search(wording.NOT_CHARGED, said.words) and cost:
            yield f"{job} was called not charged, and cost {cost}"
        found = re.search(wording.CHARGED_CREDITS, said.words)
        if found and int(found[1]) not in {cost, *told}:
            yield f"{job} was told to have cost {found[1]}, and cost {cost}"
        if re.search(wording.DONE, said.words):
            if taken is None or taken.status(said.at) != "completed":
                yield f"{job} was called ready, and was not"
            price = re.search(wording.FOR_CREDITS, said.words, re.MULTILINE)
            if price and int(price[1]) != cost:
                yield f"{job}: its result says {price[1]} credits, and cost {cost}"


def _is_listing(said: Said) -> bool:
    return re.search(wording.LISTING, " ".join(said.custom_ids)) is not None


def without_delay(books: Books) -> Iterator[str]:
    """Half of all results that no moderator looks at are shown within moments of when Studii made them."""
    late = list[float]()
    for job in books.jobs:
        taken, shown = books.at_studii(job), [] if books.reviews_of(job) else books.results_of(job)
        if taken is not None and len(shown) == 1 and len(books.world.wishes[job.number or 0]) == 1:
            late.append(shown[0].at - taken.ends - taken.outcome.url_after)
    if len(late) > 10 and (half := median(late)) > SOON:
        yield f"half of all results were shown {half:.0f} s after Studii had made them, or later"


def _ids_in(said: Said) -> set[str]:
    return {one for custom_id in said.custom_ids for one in re.findall(JOB_ID, custom_id)}


def told_of_failures(books: Books) -> Iterator[str]:
    """Whoever's job failed was told: an edit of what a channel shows notifies nobody."""
    said = (one for one in books.world.discord.said if not one.edited or one.to is not None)
    told = [one for one in said if re.search(wording.FAILED, one.words) and not _is_listing(one)]
    # The last state of an answer may have no button that names its jobs, as the states before it had.
    shows = defaultdict[int, set[str]](set)
    for one in books.world.discord.said:
        if not _is_listing(one):
            shows[one.message.id] |= books.jobs_of(one)
    by_id = {job_id for one in told for job_id in shows[one.message.id]}
    for job in books.jobs:
        if job.state != "failed" or job.id in by_id or books.removed(job):
            continue
        named = rf"(no\. |photo-){job.number}\b"
        asked = min((wish.at for wish in books.world.wishes.get(job.number or 0, [])), default=0.0)
        mine = [one for one in told if one.at > asked and not shows[one.message.id]]
        if not any(re.search(rf"{named}|<@{job.user_id}>", one.words) for one in mine):
            yield f"{job} failed, and nobody was told"


def no_errors(books: Books) -> Iterator[str]:
    """Nobody was told that something went wrong in the bot, unless the disk or the network failed it."""
    faults = books.world.faults
    for said in books.world.discord.said:
        if not re.search(wording.INTERNAL_ERROR, said.words):
            continue
        away = any(began < said.at < ended + 60 for began, ended, _ in faults.outages)
        if not away and not any(str(said.message.token) in path for _, _, path in faults.spoilt):
            yield f"somebody was told: {said.words[:160]!r}"


def answered(books: Books) -> Iterator[str]:
    """Each interaction that a living process heard of was answered in time, and what was deferred was
    answered at last, unless the network failed it."""
    for asked in books.world.discord.asked:
        if not books.world.discord.heard.get(asked.id) or _excused(books.world, asked):
            continue
        if asked.answered_at is None:
            yield f"interaction {asked.id} of {asked.user_id} was never answered"
        elif asked.deferred and asked.waits and not asked.over:
            yield f"interaction {asked.id} of {asked.user_id} was deferred, and never answered"


def _excused(world: World, asked: Interaction) -> bool:
    until = asked.told_at + ANSWER_SECONDS + 0.5
    if asked.answered_at is not None:
        until = asked.told_at + 840  # while the token works
    lived = any(began < asked.told_at and until < ended for began, ended in world.machine.lives)
    faulted = any(asked.token in path for _, _, path in world.faults.spoilt)
    away = any(began < until and asked.told_at < ended for began, ended, _ in world.faults.outages)
    gone = any(began - 5 < until and asked.told_at < ended for began, ended in world.away)
    return not lived or faulted or away or gone


def forgotten(books: Books) -> Iterator[str]:
    """Of what a person had erased, nothing is kept."""
    world = books.world
    kept = kept_numbers(world)
    unknown = [job for job in books.jobs if job.state == "unknown"]
    unsure = {job.number for job in unknown} | {number_in(job.photo or "") for job in unknown}
    for job in books.jobs:  # what was under way then is erased within a day of its end
        asked_at = world.forgotten.get(job.user_id, 0.0)
        taken = books.at_studii(job)
        if max(0 if taken is None else taken.ends, job.finished or 0) > asked_at:
            unsure.add(job.number)
    for number in sorted(kept - unsure):
        wishes = world.wishes.get(number, [])
        if wishes and all(books.ending(one) < world.forgotten.get(one.user_id, 0.0) for one in wishes):
            yield f"no. {number} of {wishes[0].user_id} was erased, and is still there"


def places(books: Books) -> Iterator[str]:
    """A job's place in the queue was so when it was told."""
    world = books.world
    for said in world.discord.said:
        job = books.job_of(said)
        number = re.search(wording.PLACE, said.words)
        if job is None or not (number or re.search(wording.NEXT, said.words)):
            continue
        place, since = int(number[1]) if number else 1, said.at - OUTDATED
        taken = books.at_studii(job)
        if taken is not None and taken.created < since:
            yield f"{job} was called number {place}, {said.at - taken.created:.0f} s after it was sent"
        waiting = 0
        for other in books.jobs:
            sent, wishes = books.at_studii(other), world.wishes.get(other.number or 0, [])
            asked = min((one.at for one in wishes), default=0.0)
            waiting += other.id != job.id and asked <= said.at and (sent is None or sent.created >= since)
        if place - 1 > waiting:
            yield f"{job} was called number {place}, and {waiting} others waited"


def forecasts(books: Books) -> Iterator[str]:
    """Half of all starts that were told to be expected are near what came."""
    errors, wrong = list[float](), books.world.faults.wrong_clock
    for said in books.world.discord.said:
        job, told = books.job_of(said), re.search(wording.STARTS_AT, said.words)
        taken = books.at_studii(job) if job is not None else None
        if any(began < said.at < ended for began, ended in wrong):
            continue  # a start is told as a time, which is off as the clock is
        if told is not None and taken is not None:
            real = taken.created - said.at
            errors.append(abs(int(told[1]) - said.at - real) / max(60.0, real))
    if len(errors) > 10 and (half := median(errors)) > 1:
        yield f"half of the expected starts are wrong by {half:.1f} times what was to be waited, or more"


def tokens_in_time(books: Books) -> Iterator[str]:
    """No token was used when it had expired, unless the machine's clock said that it had not."""
    wrong = books.world.faults.wrong_clock
    for asked, at, method in books.world.discord.too_late:
        if not any(began < at and asked.told_at < ended for began, ended in wrong):
            yield f"a token was used too late: {method} for interaction {asked.id}"


def quiet(books: Books) -> Iterator[str]:
    """Some minutes in which nothing happens cost next to nothing."""
    samples = books.world.minutes[-QUIET_MINUTES - 1 :]
    for what, most in QUIET_BOUNDS.items():
        took = samples[-1][what] - samples[0][what]
        if took > most * QUIET_MINUTES:
            yield f"{QUIET_MINUTES} quiet minutes took {took} {what}"


BOOKS: tuple[Callable[[Books], Iterator[str]], ...] = (
    ended,
    asked_for,
    submitted_once,
    allowed,
    approved,
    with_the_key,
    reviewed,
    charged,
    ruled,
    balanced,
    within_budget,
    within_limits,
    shown_once,
    thumbnails,
    kept_private,
    progress_is_for_one,
    no_hourglass_is_left,
    no_pings,
    truthful,
    without_delay,
    told_of_failures,
    no_errors,
    answered,
    forgotten,
    places,
    forecasts,
    tokens_in_time,
    quiet,
)
