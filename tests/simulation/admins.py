"""What admins and moderators do."""

import re
from collections.abc import Generator
from typing import Any

from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import EVERYONE_PERMISSIONS, MANAGE_MESSAGES, Role
from sandbox.studii.jobs import Outcome
from tests.simulation import wording
from tests.simulation.loop import Plan
from tests.simulation.people import Person, ask_together, often
from tests.simulation.world import (
    ADMIN,
    FORBIDDEN,
    GENERAL,
    GUILD,
    JOB_ID,
    MEMBERS,
    MODERATOR,
    SHOWROOM,
    SIDE,
    TAP,
    Ruling,
    World,
)

HOUR = 3600.0
PAUSES = "setup", "paused"
RULE: dict[str, Any] = {"words": FORBIDDEN, "then": ["refuse"]}
WIDE_BUDGET, MODERATORS = 100_000, 8001
ADMINS_WAIT = 10.0
Path = str | tuple[str, ...]  # of a command; or a panel, a setting, and what is chosen


def admin(world: World, user_id: int) -> Plan:
    """Enter the server's key, as soon as there is a command for it, and set the server up."""
    person = Person(world, user_id, "admin")
    world.guild.roles[MODERATORS] = Role(MODERATORS, EVERYONE_PERMISSIONS | MANAGE_MESSAGES, "moderators")
    world.guild.members[MODERATOR] = (MODERATORS,)
    while True:
        yield 1.0
        asked = yield from _key_form(person)
        if asked is not None and (yield from _enter_key(person, asked)):
            break
    yield from _budget(person, WIDE_BUDGET)
    yield from _settle(person)


def _key_form(person: Person) -> Generator[float, None, Interaction | None]:
    """Open the form of the server's key."""
    panel = person.command(wording.SETUP)
    yield from person.wait(panel)
    asked = person.press_id(panel, wording.KEY)
    yield from person.wait(asked)
    return asked


def _enter_key(person: Person, asked: Interaction) -> Generator[float, None, bool]:
    world = person.world
    plan = [world.key.account.plan]
    values = {wording.KEY_FIELD: world.key.secret, wording.PLAN_FIELD: plan}
    world.rules.asked("key", world.key.hint)
    sent = person.submit(asked, values)
    yield from person.wait(sent)
    if sent is None or sent.answer is None or not re.search(wording.KEY_WORKS, sent.answer.words()):
        return False
    world.rules.confirmed("key")
    return True


def _settle(person: Person) -> Plan:
    """Set the server up: reactions, tools under photos, a style, a panel."""
    yield from person.change("photos", "everywhere")
    yield from person.change("photos", "emoji", emoji=TAP, tool=["photo-restore"], inputs="")
    yield from person.change("photos", "offers", str(SHOWROOM))
    panel = person.command(wording.SETUP)
    yield from person.wait(panel)
    yield from person.wait(person.press_id(panel, wording.POST_PANEL))
    listed = person.command(wording.STYLES)
    yield from person.wait(listed)
    asked = person.press_labelled(None if listed is None else listed.answer, wording.ADD_STYLE)
    yield from person.wait(asked)
    yield from person.wait(person.fill_in(asked, name="noir", prompt="film noir", tool=["studio"]))


def _change(person: Person, name: str, wanted: Any, path: Path, says: str, **values: Any) -> Plan:
    """Change a setting by a command or in a panel, and note since when it is certainly so."""
    world = person.world
    world.counts[f"deed: {name}"] += 1
    world.rules.asked(name, wanted)
    if isinstance(path, str):
        asked = person.command(path, **values)
        yield from person.wait(asked, ADMINS_WAIT)
    else:
        asked = yield from person.change(*path, **values)
    answer = None if asked is None else asked.answer
    if answer is not None and re.search(says, answer.words()):
        world.rules.confirmed(name)


def _until_certain(person: Person, name: str, wanted: Any, path: Path, says: str, **values: Any) -> Plan:
    """Change a setting, again and again until the bot says that it is so."""
    world = person.world
    for _ in range(20):
        yield from _change(person, name, wanted, path, says, **values)
        if world.rules.certainly(name, wanted, world.clock.now, world.clock.now):
            return
        yield 30.0


@often(5)
def budgets(person: Person) -> Plan:
    """Make the budget tight for a while, at times as a new key's first picture costs far more than usual."""
    world = person.world
    tight = _spent(world) + person.rand.randint(0, 120)
    yield from _budget(person, tight)
    if person.rand.random() < 0.6:
        yield from _enter_new_key(person)
        world.studii.world.outcomes.appendleft(Outcome(charge=40))
        ask_together(world, MEMBERS)
    yield world.a_while(person.rand, 600, HOUR)
    if person.rand.random() < 0.3:
        world.rules.asked("grants", 40)
        person.command(wording.GRANT, credits=40)
        yield 300
    while not world.rules.certainly("budget", WIDE_BUDGET, world.clock.now, world.clock.now):
        yield from _budget(person, WIDE_BUDGET)
        yield 30.0


def _budget(person: Person, most: int) -> Plan:
    values = {"credits": most, "period": "day"}
    yield from _change(person, "budget", most, wording.BUDGET, wording.BUDGET_SET, **values)


def _spent(world: World) -> int:
    now = world.clock.now
    today = (job for job in world.studii.jobs if job.created // 86400 == now // 86400)
    return sum(job.credits_charged(now) for job in today)


@often(6)
def confirmations(person: Person) -> Plan:
    """Have members asked before each job, for a while."""
    world = person.world
    yield from person.change("credits", "confirm_above", value="5")
    yield world.a_while(person.rand, 600, HOUR)
    yield from person.change("credits", "confirm_above", value="")


@often(6)
def limits(person: Person) -> Plan:
    """Bound how many jobs a member may have at once, for a while."""
    world = person.world
    most = person.rand.randint(1, 2)
    path = "credits", "at_once"
    yield from _change(person, "at once", most, path, wording.LIMITS_SET, value=str(most))
    yield 5.0
    ask_together(world, [person.rand.choice(MEMBERS)] * (most + 2))
    yield world.a_while(person.rand, HOUR / 2, HOUR)
    yield from _until_certain(person, "at once", 50, path, wording.LIMITS_SET, value="50")


@often(6)
def allowances(person: Person) -> Plan:
    """Bound what each member may spend, for a while."""
    world = person.world
    path, says = ("credits", "default"), wording.ALLOWANCE_SET
    most = _spent(world) // len(MEMBERS) + person.rand.randint(0, 60)
    yield from _change(person, "allowance", most, path, says, value=str(most))
    yield world.a_while(person.rand, HOUR / 2, HOUR)
    yield from _until_certain(person, "allowance", WIDE_BUDGET, path, says, value=str(WIDE_BUDGET))


@often(5)
def blocks(person: Person) -> Plan:
    """Block a member for a while."""
    world = person.world
    whom = person.rand.choice(MEMBERS)
    name = f"blocked {whom}"
    yield from _change(person, name, True, wording.BLOCKS, wording.BLOCKED, member=[str(whom)])
    yield world.a_while(person.rand, HOUR / 4, HOUR)
    path = (*wording.BLOCKS, str(whom))
    yield from _until_certain(person, name, False, path, wording.UNBLOCKED)


@often(3)
def words(person: Person) -> Plan:
    """Forbid a word for a while."""
    world = person.world
    yield from _change(person, "word", FORBIDDEN, wording.FILTER, FORBIDDEN, **RULE)
    yield world.a_while(person.rand, HOUR, 4 * HOUR)
    world.rules.asked("word", None)
    yield from person.change(*wording.FILTER, FORBIDDEN)
    yield 60


@often(6)
def pauses(person: Person) -> Plan:
    """Pause new jobs for some minutes."""
    world = person.world
    yield from _change(person, "paused", True, PAUSES, wording.PAUSED)
    yield world.a_while(person.rand, 300, 1800)
    yield from _until_certain(person, "paused", False, PAUSES, wording.RESUMED)


@often(6)
def approvals(person: Person) -> Plan:
    """Have everyone's requests approved first, for a while."""
    world = person.world
    yield from person.change(wording.APPROVAL, "approval_channel", str(SHOWROOM))
    yield from _change(person, "approval", True, (wording.APPROVAL, "approval_everyone"), wording.APPROVAL_ON)
    results = person.rand.random() < 0.6
    if results:
        yield from _change(
            person, "reviews", True, (wording.APPROVAL, "approval_results"), wording.RESULTS_WAIT
        )
    yield world.a_while(person.rand, 600, 1.5 * HOUR)
    world.rules.asked("reviews", False)
    path = (wording.APPROVAL, "approval_channel", "")
    yield from _until_certain(person, "approval", False, path, wording.APPROVAL_OFF)


@often(3)
def looks_of_results(person: Person) -> Plan:
    """Have results shown with a moving picture, and the best of each month, for a while."""
    yield from person.change("results", "compare", "wipe")
    yield from person.change("results", "best_channel_id", str(SHOWROOM))
    yield from person.change("results", "best_months")
    yield person.world.a_while(person.rand, HOUR, 4 * HOUR)
    yield from person.change("results", "compare", "pair")
    yield from person.change("results", "best_channel_id", "")


@often(10)
def keys(person: Person) -> Plan:
    """Replace the key, or remove it for a while."""
    world = person.world
    world.counts["deed: key"] += 1
    if person.rand.random() < 0.5:
        panel = person.command(wording.SETUP)
        yield from person.wait(panel)
        asked = person.press_id(panel, wording.FORGET_KEY)
        yield from person.wait(asked)
        world.rules.asked("key", None)
        yield from person.wait(
            person.press_labelled(None if asked is None else asked.answer, wording.REMOVE_KEY)
        )
        yield world.a_while(person.rand, 60, 1800)
    old = world.key
    yield from _enter_new_key(person)
    if person.rand.random() < 0.3:  # what runs with the old one is noticed as lost
        yield person.rand.uniform(0, 600)
        world.counts["deed: revoke"] += 1
        old.revoke()


def _enter_new_key(person: Person) -> Plan:
    person.world.key = person.world.new_key()
    for _ in range(20):
        asked = yield from _key_form(person)
        if asked is not None and (yield from _enter_key(person, asked)):
            return
        yield 30


@often(6)
def closings(person: Person) -> Plan:
    """Delete a channel with all its messages, and make it again under the same number."""
    world = person.world
    if SIDE not in world.discord.places.channels:
        return
    world.counts["deed: delete a channel"] += 1
    channel = world.discord.remove_channel(SIDE)
    yield world.a_while(person.rand, 30, HOUR)
    if GUILD in world.discord.places.guilds:
        world.discord.places.add_channel(channel)
        world.discord.tell("CHANNEL_CREATE", GUILD, channel.told())
    else:  # the bot sees it once it is back
        world.guild.channels[SIDE] = channel


@often(16)
def leaving(person: Person) -> Plan:
    """Remove the bot from the server, and invite it again, with another key."""
    world = person.world
    world.counts["deed: leaving"] += 1
    began = world.clock.now
    world.clock.note("the bot is removed from the server")
    world.discord.remove_guild(GUILD)
    world.rules.asked("key", None)
    yield world.a_while(person.rand, 30, HOUR)
    world.discord.places.bring_back(GUILD)
    world.clock.note("the bot is back in the server")
    world.discord.tell("GUILD_CREATE", GUILD, world.guild.told())
    world.away.append((began, world.clock.now))
    yield from _enter_new_key(person)


def moderator(world: World, user_id: int) -> Plan:
    """Decide on requests, and delete what people posted now and then; goes on until all is decided."""
    person = Person(world, user_id, "moderator")
    while True:
        yield person.rand.expovariate(1 / 120)
        for message in world.discord.in_channel(SHOWROOM)[-60:]:
            if re.search(wording.REQUEST_WAITS, message.words()):
                yield from _decide(person, message)
        if world.busy and person.rand.random() < 0.1:
            yield from _post_after_all(person)
        results = [one for one in world.discord.in_channel(GENERAL)[-20:] if one.of_the_bot and one.files]
        if results and world.busy and person.rand.random() < 0.01:
            world.counts["deed: moderator deletes"] += 1
            world.discord.delete(person.rand.choice(results))


def _decide(person: Person, message: Message) -> Plan:
    number, jobs = re.search(r"no\. (\d+)", message.words()), _jobs_of(message)
    world, of_result = person.world, re.search(wording.RESULT_WAITS, message.words())
    if person.rand.random() < 0.75:
        world.counts["deed: approve result" if of_result else "deed: approve"] += 1
        if of_result:
            _approved(world, jobs)
        else:  # of a request with a photo, the number may be in that alone
            world.approved |= {*jobs, *([int(number[1])] if number else [])}
        yield from person.wait(person.press_labelled(message, wording.APPROVE))
    else:
        world.counts["deed: decline"] += 1
        asked = person.press_labelled(message, wording.DECLINE)
        yield from person.wait(asked)
        yield from person.wait(person.fill_in(asked))


def _post_after_all(person: Person) -> Plan:
    """Look at a result that was withheld, and have it posted."""
    listed = yield from _listed(person, wording.NOT_POSTED)
    yield from person.wait(person.open_job(listed))
    seen = person.press_labelled(listed, wording.SEE_RESULT)
    yield from person.wait(seen)
    if seen is not None and seen.answer is not None and person.labelled(seen.answer, wording.POST_AFTER_ALL):
        person.world.counts["deed: post after all"] += 1
        _approved(person.world, _jobs_of(seen.answer))
        yield from person.wait(person.press_labelled(seen.answer, wording.POST_AFTER_ALL))


def _listed(person: Person, page: str) -> Generator[float, None, Message | None]:
    """Return the list of jobs at one of its pages."""
    asked = person.command(wording.JOBS, SHOWROOM)
    yield from person.wait(asked)
    listed = None if asked is None else asked.answer
    yield from person.wait(person.press_labelled(listed, page))
    return listed


def _jobs_of(message: Message) -> list[str]:
    """Return the ids of the jobs that a message's buttons name."""
    return sorted({one for custom_id in message.custom_ids() for one in re.findall(JOB_ID, custom_id)})


def _approved(world: World, jobs: list[str]) -> None:
    for job in jobs:
        world.reviewed.setdefault(job, world.clock.now)


@often(1 / 6)
def helper(person: Person) -> Plan:
    """Answer members who ask for more credits, and rule on jobs with an unknown outcome."""
    world = person.world
    for message in list(world.discord.ever[-80:]):
        if person.labelled(message, wording.GRANT_MORE) and person.rand.random() < 0.5:
            world.rules.asked("grants", 20)
            yield from person.wait(person.press_labelled(message, wording.GRANT_MORE))
    if person.rand.random() < 0.3:
        yield from _rule(person)


def _rule(person: Person) -> Plan:
    """Say what a job with an unknown outcome has cost."""
    listed = yield from _listed(person, wording.SERVER_JOBS)
    yield from person.wait(person.open_job(listed, wording.OUTCOME_UNKNOWN))
    release, charged = (person.labelled(listed, one) for one in (wording.RELEASE, wording.MARK_CHARGED))
    if listed is None or release is None or charged is None:
        return
    world, (job,) = person.world, re.findall(JOB_ID, release)
    world.counts["deed: rule"] += 1
    if person.rand.random() < 0.5:
        ruling = Ruling(0)
        sent = person.press(listed, release)
    else:
        ruling = Ruling(person.rand.randint(0, 30))
        asked = person.press(listed, charged)
        yield from person.wait(asked)
        sent = person.fill_in(asked, **{wording.AMOUNT_FIELD: str(ruling.charge)})
    if sent is not None:
        world.ruled[job].append(ruling)
        yield from person.wait(sent)
        ruling.confirmed = sent.answer is not None and bool(re.search(wording.RULED, sent.answer.words()))


@often(4)
def looks(person: Person) -> Plan:
    """Look at panels."""
    yield from person.wait(person.command(person.rand.choice(wording.PANELS)))


ACTORS = [
    (admin, ADMIN),
    *(
        (one, ADMIN)
        for one in (
            budgets,
            confirmations,
            limits,
            allowances,
            blocks,
            words,
            pauses,
            approvals,
            looks_of_results,
            keys,
            closings,
            leaving,
            helper,
            looks,
        )
    ),
    (moderator, MODERATOR),
]
