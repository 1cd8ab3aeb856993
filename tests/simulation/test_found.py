"""Faults of the bot that simulated days have found, each as a story without the rest of the day."""

import pytest

from sandbox.studii.jobs import Outcome
from tests.simulation import wording
from tests.simulation.faults import Fault
from tests.simulation.loop import Plan
from tests.simulation.people import Person
from tests.simulation.run import simulate
from tests.simulation.world import ADMIN, MEMBERS, World


@pytest.mark.parametrize("how", ["lost", "502 after", "cut"])
def test_a_form_is_taken_although_the_answer_that_it_was_shown_got_lost(how: str) -> None:
    def story(world: World) -> Plan:
        person = Person(world, MEMBERS[0], "story")
        world.faults.planned.append(("/callback", Fault(how)))
        asked = person.command("studio")
        yield from person.wait(asked)
        yield 20
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
