"""What admins and moderators do."""

from tests.simulation.loop import Plan
from tests.simulation.people import Person
from tests.simulation.world import ADMIN, World


def admin(world: World, user_id: int) -> Plan:
    """Enter the server's key, as soon as there is a command for it, and the budget that goes with it."""
    person = Person(world, user_id, "admin")
    while True:
        yield 1.0
        asked = person.command("studii key")
        yield from person.wait(asked)
        if asked is None:
            continue
        sent = person.submit(asked, {"key": world.key.secret, "plan": ["team"], "budget": "100000"})
        yield from person.wait(sent)
        if sent is not None and sent.over:
            return


ACTORS = [(admin, ADMIN)]
