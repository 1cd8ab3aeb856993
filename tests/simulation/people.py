"""What people do in Discord: the hands that all actors use, and the members.

An actor is a plan for the clock: a generator that yields how many seconds it waits. `ACTORS` has each with
the person that it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.discord.emulator.inputs import NotFilledInError, command_input, form_input, select_input
from sandbox.discord.emulator.interactions import COMMAND, COMPONENT, MODAL, Interaction
from sandbox.discord.emulator.messages import Message, walk
from tests.simulation import media
from tests.simulation.loop import Plan
from tests.simulation.world import GENERAL, MEMBERS, World

WORDS = ("harbour", "lantern", "meadow", "glacier", "orchard", "violin", "compass", "ember", "willow")
PHOTO_TOOLS = ("virtual-staging", "photo-restore", "product-background", "career-photo")


class Person:
    """Somebody in the server, with randomness of their own. Methods do something and return at once."""

    def __init__(self, world: World, user_id: int, name: str) -> None:
        self.world, self.id, self.rand = world, user_id, world.clock.random(f"{name} {user_id}")
        self.discord = world.discord

    def command(self, path: str, channel: int = GENERAL, **values: Any) -> Interaction | None:
        """Use a command; spaces part it from group and subcommand. None if there is no such command yet."""
        name, *rest = path.split(" ")
        found = next((one for one in self.discord.commands if one["name"] == name), None)
        if found is None:
            return None
        data = command_input(found, rest, values, self.world.guild)
        return self.discord.send(self.discord.begin(channel, self.id, COMMAND, data))

    def photo(self, number: int, kind: media.Kind = "whole", channel: int = GENERAL) -> dict[str, Any]:
        """Upload a photo, for an option of a command or a field of a form."""
        return self.discord.upload(f"photo-{number}.png", media.picture(number, kind), "image/png", channel)

    def press(self, message: Message, custom_id: str) -> Interaction:
        """Press a button of a message."""
        data = {"custom_id": custom_id, "component_type": 2}
        begun = self.discord.begin(message.channel_id, self.id, COMPONENT, data, pressed=message)
        return self.discord.send(begun)

    def choose(self, message: Message, component: Mapping[str, Any], values: Sequence[str]) -> Interaction:
        """Choose from a menu of a message."""
        data = select_input(component, values, self.world.guild)
        begun = self.discord.begin(message.channel_id, self.id, COMPONENT, data, pressed=message)
        return self.discord.send(begun)

    def submit(self, asked: Interaction, values: Mapping[str, Any]) -> Interaction | None:
        """Hand in the form that answered an interaction; `values` by custom id. None if it can't be."""
        form = asked.said
        if form is None or "title" not in form:
            return None
        try:
            data = form_input(form, values, self.world.guild)
        except NotFilledInError:
            return None
        begun = self.discord.begin(asked.channel.id, self.id, MODAL, data, pressed=asked.pressed)
        return self.discord.send(begun)

    def wait(self, asked: Interaction | None, seconds: float = 30.0) -> Plan:
        """Wait until something is answered; a part of a plan: `yield from`."""
        until = self.world.clock.now + seconds
        while asked is not None and not asked.over and self.world.clock.now < until:
            yield 0.4

    def buttons(self, message: Message | None) -> Iterator[Mapping[str, Any]]:
        """Return the buttons under a message that can be pressed now."""
        if message is None or message.id not in self.discord.messages:
            return
        for one in walk(message.payload.get("components") or ()):
            if one.get("type") == 2 and "custom_id" in one and not one.get("disabled"):
                yield one

    def press_labelled(self, message: Message | None, label: str) -> Interaction | None:
        """Press the button with words that match; None if there is none."""
        for one in self.buttons(message):
            if message is not None and re.search(label, str(one.get("label") or "")):
                return self.press(message, str(one["custom_id"]))
        return None

    def prompt(self, number: int) -> str:
        """Return a prompt by which the books know the request again."""
        return f"{' '.join(self.rand.sample(WORDS, 3))} no. {number}"


def member(world: World, user_id: int) -> Plan:
    """Ask for pictures, now and then."""
    person, rand = Person(world, user_id, "member"), world.clock.random(f"member {user_id}'s day")
    while True:
        yield rand.expovariate(1 / 900)
        if not world.busy:
            return
        number, what = world.number(), rand.random()
        if what < 0.6:
            yield from _studio(person, number)
        elif what < 0.85:
            kind: media.Kind = "whole" if rand.random() < 0.9 else rand.choice(("broken", "deadly"))
            person.command(rand.choice(PHOTO_TOOLS), image=person.photo(number, kind))
        else:
            yield from _form(person, number)


def _studio(person: Person, number: int) -> Plan:
    rand, values = person.rand, dict[str, Any]()
    if rand.random() < 0.2:
        values["private"] = True
    if rand.random() < 0.2:
        values["mode"] = "video"
    if rand.random() < 0.2:
        values["image"] = person.photo(number)
    asked = person.command("studio", prompt=person.prompt(number), **values)
    if rand.random() < 0.1:
        yield from person.wait(asked)
        yield rand.uniform(0, 20)
        person.press_labelled(asked.answer if asked else None, "Cancel")


def _form(person: Person, number: int) -> Plan:
    asked = person.command("studio")
    yield from person.wait(asked)
    yield person.rand.uniform(2, 60)
    if asked is not None:
        person.submit(asked, {"prompt": person.prompt(number)})


def crowd(world: World, _: int) -> Plan:
    """Several people do the same at the same moment, and press the same buttons twice."""
    rand = world.clock.random("crowd")
    while True:
        yield rand.expovariate(1 / 3600)
        if not world.busy:
            return
        for user_id in rand.sample(MEMBERS, rand.randint(2, len(MEMBERS))):
            person = Person(world, user_id, f"in a crowd {world.last_number}")
            person.command("studio", prompt=person.prompt(world.number()))


ACTORS = [*((member, one) for one in MEMBERS), (crowd, 0)]
