"""Faults of the bot that simulated days have found, each as a story without the rest of the day."""

import re
import sqlite3
from collections.abc import Generator

import pytest

from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import VIEW
from sandbox.studii.jobs import Outcome
from tests.simulation import disk, wording
from tests.simulation.discord_world import NONCE_SECONDS
from tests.simulation.faults import Fault
from tests.simulation.loop import Loop, Plan
from tests.simulation.people import Person, tap
from tests.simulation.run import simulate
from tests.simulation.troubles import take
from tests.simulation.world import ADMIN, MEMBERS, SHOWROOM, World


@pytest.mark.parametrize(
    ("how", "after"), [("lost", 20), ("502 after", 20), ("502 after", 0.4), ("cut", 20), ("slow", 5)]
)
def test_a_form_is_taken_although_the_answer_that_it_was_shown_got_lost(how: str, after: float) -> None:
    """Or comes later than the form is handed in."""

    def story(world: World) -> Plan:
        person = Person(world, MEMBERS[0], "story")
        world.faults.planned.append(("/callback", Fault(how, 31.0)))
        asked = person.command("studio")
        yield from person.wait(asked)
        yield after
        assert asked is not None
        number = world.number()
        world.wants(person.id, number)
        sent = person.submit(asked, {"prompt": person.prompt(number)})
        yield from person.wait(sent)

    result = simulate(1, 0.05, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1


def test_the_second_of_two_quick_presses_of_a_question_is_no_error() -> None:
    def story(world: World) -> Plan:
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        yield from person.wait(Person(world, ADMIN, "admin").command(wording.BUDGET, confirm=5))
        world.wants(person.id, number)
        asked = person.command(wording.STUDIO, prompt=person.prompt(number))
        yield from person.wait(asked)
        assert asked is not None
        presses = [person.press_labelled(asked.answer, wording.RUN) for _ in range(2)]
        for one in presses:
            yield from person.wait(one)

    result = simulate(1, 0.1, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1


def killed_as_it_sends(world: World, *, forgotten: bool = True) -> Plan:
    """Lose the answer of the next message that is sent, and kill the process; with `forgotten` for longer
    than Discord knows the message's nonce."""
    yield from world.until_met(" POST /api/v10/channels/", Fault("stalled"))
    world.machine.away = 2 * NONCE_SECONDS if forgotten else 5.0
    world.machine.kill(20)
    yield world.machine.away + 30


def test_a_result_whose_answer_got_lost_is_found_after_a_start() -> None:
    """Discord knows its nonce no more, and the bot looks for it before its login has told who it is."""

    def story(world: World) -> Plan:
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        world.wants(person.id, number)
        person.command(wording.STUDIO, prompt=person.prompt(number))
        yield from killed_as_it_sends(world)

    result = simulate(1, 0.4, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1


def needs_approval(world: World) -> Generator[float, None, Person]:
    """Let moderators approve what everyone asks for, in the showroom. Return the admin."""
    admin = Person(world, ADMIN, "admin")
    yield from admin.change(wording.APPROVAL, "approval_channel", str(SHOWROOM))
    yield from admin.change(wording.APPROVAL, "approval_everyone")
    return admin


@pytest.mark.promise
@pytest.mark.parametrize(("decision", "forgotten"), [(wording.APPROVE, True), (wording.DECLINE, False)])
def test_moderators_are_asked_once_around_a_kill_and_their_decision_counts_at_once(
    decision: str, *, forgotten: bool
) -> None:
    """The process that asked has died before it knew that it had, and the one that decides after it."""

    def story(world: World) -> Plan:
        admin = yield from needs_approval(world)
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        world.wants(person.id, number)
        person.command(wording.STUDIO, prompt=person.prompt(number))
        yield from killed_as_it_sends(world, forgotten=forgotten)
        (asked,) = world.discord.in_channel(SHOWROOM)
        world.approved.add(number)
        pressed = admin.press_labelled(asked, decision)
        yield from admin.wait(pressed)
        pressed = admin.fill_in(pressed) or pressed
        world.machine.away = 5.0
        world.machine.kill(300)
        yield 60
        again = admin.press_labelled(asked, decision)  # where the decision died with the process
        yield from admin.wait(again)
        yield from admin.wait(admin.fill_in(again))
        assert len(world.discord.in_channel(SHOWROOM)) == 1
        assert not list(admin.buttons(asked))

    result = simulate(1, 0.4, story=story)
    assert result.broken == []
    assert result.counts["succeeded" if decision == wording.APPROVE else "failed"] == 1


def test_a_request_is_reduced_once_its_channel_is_open_to_the_bot_again() -> None:
    """It was withdrawn while the bot didn't see the moderators' channel."""

    def story(world: World) -> Plan:
        admin = yield from needs_approval(world)
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        world.wants(person.id, number)
        asked = person.command(wording.STUDIO, prompt=person.prompt(number))
        yield from person.wait(asked)
        yield 5
        (request,) = world.discord.in_channel(SHOWROOM)
        assert asked is not None
        world.clock.follow(take(world, SHOWROOM, VIEW, 60))
        yield 1
        person.press_labelled(asked.answer, wording.CANCEL)
        yield 50
        assert list(admin.buttons(request))
        yield 400
        assert not list(admin.buttons(request))

    result = simulate(1, 0.3, story=story)
    assert result.broken == []
    assert result.counts["cancelled"] == 1


@pytest.mark.promise
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_starred_result_is_shown_once_around_a_kill_and_goes_with_its_stars(*, forgotten: bool) -> None:
    def story(world: World) -> Plan:
        admin, fan = Person(world, ADMIN, "admin"), Person(world, MEMBERS[1], "fan")
        yield from admin.change("results", "best_channel_id", str(SHOWROOM))
        yield from admin.change("results", "best_stars", value="1")
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        world.wants(person.id, number)
        person.command(wording.STUDIO, prompt=person.prompt(number))
        while (result := person.result()) is None:
            yield 1.0
        fan.tap(result, "⭐")
        yield 30
        (question,) = world.discord.in_channel(world.discord.channels.dm_with(person.id).id)
        person.press_labelled(question, "Show my results")
        yield from killed_as_it_sends(world, forgotten=forgotten)
        (shown,) = world.discord.in_channel(SHOWROOM)
        assert f"<@{person.id}>" in shown.words()
        world.discord.unreact(result, fan.id, "⭐")
        world.machine.away = 5.0
        world.machine.kill(20)
        yield 60
        assert not world.discord.in_channel(SHOWROOM)

    (shown,) = simulate(1, 0.4, story=story).broken
    assert "its result was shown 2 times" in shown  # where it was asked for, and among the best


@pytest.mark.promise
def test_a_month_is_shown_once_around_a_kill_and_without_what_is_taken_back() -> None:
    def story(world: World) -> Plan:
        admin, fan, stranger = (Person(world, one, "admin") for one in (ADMIN, *MEMBERS[3:5]))
        yield from admin.change("results", "best_channel_id", str(SHOWROOM))
        yield from admin.change("results", "best_stars", value="1")
        yield from admin.change("budget", "timezone", value="Atlantic/Cape_Verde")  # December for an hour
        yield from admin.change("results", "best_months")
        ann, bea, cem = makers = [Person(world, one, "story") for one in MEMBERS[:3]]
        made: list[Message] = []
        for person in makers:
            world.studii.world.outcomes.append(Outcome(duration=20.0))
            number = world.number()
            world.wants(person.id, number)
            person.command(wording.STUDIO, prompt=person.prompt(number))
            while (result := person.result()) is None:
                yield 1.0
            made.append(result)
            fan.tap(result, "⭐")
            yield 30
            (question,) = world.discord.in_channel(world.discord.channels.dm_with(person.id).id)
            if person is not cem:
                person.press_labelled(question, "Show my results")
        stranger.tap(made[1], "⭐")
        yield 60

        def months() -> list[list[tuple[str, str]]]:
            """Return of each message that shows the month whose results it has, each with its stars."""
            said = [one.words() for one in world.discord.in_channel(SHOWROOM)]
            found = [words for words in said if "December 2025\n3 results were made" in words]
            return [re.findall("⭐ ([0-9]+) .*<@([0-9]+)>", words) for words in found]

        assert len(world.discord.in_channel(SHOWROOM)) == 2
        yield from killed_as_it_sends(world)
        world.machine.kill(20)
        yield 120
        assert months() == [[("2", str(bea.id)), ("1", str(ann.id))]]
        world.discord.delete(made[1])
        yield 60
        assert months() == [[("1", str(ann.id))]]
        world.discord.unreact(made[0], fan.id, "⭐")
        yield 60
        assert not months()
        world.counts["told"] += 1

    result = simulate(1, 1.2, story=story)
    assert result.counts["told"] == 1
    # Where they were asked for, among the best, and in their month.
    assert [one.partition("result ")[2] for one in result.broken] == ["was shown 3 times"] * 2


@pytest.mark.parametrize("how", ["502", "lost"])
def test_a_start_without_the_gateways_address_is_refused_in_a_sentence(how: str) -> None:
    def story(world: World) -> Plan:
        world.faults.planned += [("/gateway/bot", Fault(how))] * 8
        world.machine.terminate()
        yield 40
        world.faults.planned.clear()

    result = simulate(1, 0.03, story=story)
    assert result.broken == []
    assert result.counts["starts refused"] > 0


def test_a_start_whose_login_discord_never_answers_ends_within_a_minute() -> None:
    def story(world: World) -> Plan:
        # The first login looks at what the application may.
        world.faults.planned += [
            ("/applications/@me", Fault("slow")),
            ("/applications/@me", Fault("stalled")),
        ]
        world.machine.terminate()
        yield 60

    result = simulate(1, 0.03, story=story)
    assert result.broken == []
    assert result.counts["starts refused"] == 1


def test_a_private_result_that_is_ready_at_a_start_is_sent() -> None:
    """The engine has it before the gateway has named the bot's servers."""

    def story(world: World) -> Plan:
        person = Person(world, MEMBERS[0], "story")
        world.studii.world.outcomes.append(Outcome(duration=20.0))
        number = world.number()
        world.wants(person.id, number)
        asked = person.command(wording.STUDIO, prompt=person.prompt(number), private=True)
        yield from person.wait(asked)
        yield 8
        world.machine.away = 60.0
        world.faults.planned.append(("discord GET /api/v10/gateway/bot", Fault("slow", 5.0)))
        world.machine.terminate()

    result = simulate(1, 0.05, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1


def test_a_start_whose_database_fails_ends_with_a_sentence_and_the_next_goes_on() -> None:
    """After it was opened, when the bot logs in at Discord."""

    def story(world: World) -> Plan:
        def spoil(loop: Loop) -> None:
            def statement(sql: str) -> sqlite3.OperationalError | None:
                return disk.failure(sqlite3.SQLITE_IOERR) if "FROM reaction_places" in sql else None

            loop.spoil_statement = statement

        world.machine.at_start = spoil
        world.faults.outages.append((world.clock.now, world.clock.now + 8, "disk"))
        world.machine.kill(1)
        yield 8
        world.machine.at_start = lambda _: None
        yield 30

    result = simulate(1, 0.1, story=story)
    assert result.broken == []
    assert result.counts["starts refused"] > 0


@pytest.mark.parametrize("steps", [3, 8, 12, 20])
def test_a_private_result_is_shown_once_whenever_the_process_is_killed(steps: int) -> None:
    """Between Discord's answer and the row that says that the result stands there."""

    def story(world: World) -> Plan:
        person, number = Person(world, MEMBERS[0], "story"), world.number()
        world.wants(person.id, number, private=True)
        person.command(wording.STUDIO, prompt=person.prompt(number), private=True)
        while not any(one.files and one.to == person.id for one in world.discord.said):
            yield 0.001
        world.machine.kill(steps)
        yield 60

    result = simulate(1, 0.1, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1


def test_an_hourglass_whose_answer_never_came_goes_with_the_job() -> None:
    """Discord's answer is awaited for longer than the job takes."""

    def story(world: World) -> Plan:
        world.faults.planned.append((" PUT /api/v10/channels/", Fault("stalled")))
        yield from tap(Person(world, MEMBERS[0], "story"))
        yield 900

    result = simulate(3, 0.5, story=story)
    assert result.broken == []
    assert result.counts["succeeded"] == 1
