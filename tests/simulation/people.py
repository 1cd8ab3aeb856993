"""What people do in Discord: the hands that all actors use, and the members.

An actor is a plan for the clock: a generator that yields how many seconds it waits. `ACTORS` has each with
the person that it is.
"""

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

from sandbox.discord.emulator.forms import UPLOAD
from sandbox.discord.emulator.inputs import NotFilledInError, command_input, form_input, select_input
from sandbox.discord.emulator.interactions import COMMAND, COMPONENT, MODAL, Interaction
from sandbox.discord.emulator.messages import Message, walk
from sandbox.discord.emulator.places import APPLICATION_ID
from tests.simulation import media, wording
from tests.simulation.faults import Fault
from tests.simulation.loop import Plan
from tests.simulation.world import FORBIDDEN, GENERAL, MEMBERS, SETTLING, SHOWROOM, SIDE, TAP, World

WORDS = ("harbour", "lantern", "meadow", "glacier", "orchard", "violin", "compass", "ember", "willow")
LOUD = (
    FORBIDDEN,
    FORBIDDEN,
    "@everyone",
    "<@&8392802304>",
    "<@5001> <@5002>",
    "**bold",
    "[link](http://x.example)",
    "> quote",
    FORBIDDEN,
)
BUTTON, MENU = 2, 3  # kinds of components


class Person:
    """Somebody in the server, with randomness of their own. Methods do something and return at once."""

    def __init__(self, world: World, user_id: int, name: str) -> None:
        self.world, self.id, self.rand = world, user_id, world.clock.random(f"{name} {user_id}")
        self.discord = world.discord

    def _begin(
        self, place: int, kind: int, data: Mapping[str, Any], pressed: Message | None = None
    ) -> Interaction | None:
        """Begin an interaction. None if the bot is not in the server, or the channel is gone."""
        if place not in self.discord.places.channels:
            return None
        return self.discord.send(self.discord.begin(place, self.id, kind, data, pressed=pressed))

    def command(self, path: str, place: int = GENERAL, **values: Any) -> Interaction | None:
        """Use a command; spaces part it from group and subcommand. None if there is no such command yet."""
        name, *rest = path.split(" ")
        found = next((one for one in self.discord.commands if one["name"] == name), None)
        if found is None:
            return None
        return self._begin(place, COMMAND, command_input(found, rest, values, self.world.guild))

    def menu(self, message: Message, name: str) -> Interaction | None:
        """Use a command of a message's menu."""
        found = next((one for one in self.discord.commands if one["name"] == name), None)
        if found is None or not self.sees(message):
            return None
        target = str(message.id)
        data = {"id": found["id"], "name": name, "type": 3, "target_id": target}
        return self._begin(
            message.channel_id, COMMAND, data | {"resolved": {"messages": {target: message.told()}}}
        )

    def photo(self, number: int, kind: media.Kind = "whole", channel: int = GENERAL) -> dict[str, Any]:
        """Upload a photo, for an option of a command or a field of a form."""
        return self.discord.upload(f"photo-{number}.png", media.picture(number, kind), "image/png", channel)

    def post(self, text: str, numbers: Sequence[int] = (), place: int = GENERAL) -> Message | None:
        """Write a message, with photos of these numbers."""
        if place not in self.discord.places.channels:
            return None
        files = {f"photo-{number}.png": (media.picture(number), "image/png") for number in numbers}
        return self.discord.post(place, self.id, text, files)

    def sees(self, message: Message) -> bool:
        """Return whether a message is still there, and the bot, too."""
        return message.id in self.discord.messages and message.channel_id in self.discord.places.channels

    def tap(self, message: Message, emoji: str) -> None:
        """Put an emoji under a message."""
        if self.sees(message):
            self.discord.react(message, self.id, emoji)

    def press(self, message: Message, custom_id: str) -> Interaction | None:
        """Press a button of a message."""
        return self._begin(
            message.channel_id, COMPONENT, {"custom_id": custom_id, "component_type": BUTTON}, message
        )

    def choose(
        self, message: Message, component: Mapping[str, Any], values: Sequence[str]
    ) -> Interaction | None:
        """Choose from a menu of a message."""
        data = select_input(component, values, self.world.guild)
        return self._begin(message.channel_id, COMPONENT, data, message)

    def submit(self, asked: Interaction | None, values: Mapping[str, Any]) -> Interaction | None:
        """Hand in the form that answered an interaction; `values` by custom id. None if it can't be."""
        form = None if asked is None else asked.said
        if asked is None or form is None or "title" not in form:
            return None
        try:
            data = form_input(form, values, self.world.guild)
        except NotFilledInError:
            return None
        return self._begin(asked.channel.id, MODAL, data, asked.pressed)

    def fill_in(self, asked: Interaction | None, **given: Any) -> Interaction | None:
        """Hand in a form with what is given by custom id, and the first choice of each menu otherwise."""
        if asked is None or asked.said is None or "title" not in asked.said:
            return None
        values = dict(given)
        for one in walk(asked.said["components"]):
            field: Mapping[str, Any] = one.get("component") or {}
            if field.get("type") == MENU and field["custom_id"] not in values:
                values[field["custom_id"]] = [field["options"][0]["value"]]
            elif field.get("type") == UPLOAD:
                values.setdefault(field["custom_id"], [])
        return self.submit(asked, values)

    def change(
        self, way: str, name: str, *values: str, **fields: Any
    ) -> Generator[float, None, Interaction | None]:
        """Change a setting in a panel: choose values, hand in its form, or press its button.

        `way` is the command under `/studii`, and the pages after it. Without such a control, return the page.
        """
        first, *pages = way.split()
        at, asked = way.split()[-1], self.command(f"studii {first}")
        yield from self.wait(asked)
        for page in pages:
            asked = self._use(asked, f"page:{page}:0")
            yield from self.wait(asked)
        kind = "fill" if fields else "(?:pick|drop)" if values else "put"
        second = self._use(asked, f"page:{at}:1")
        yield from self.wait(second)
        if second is not None and second.answer is not None:
            on_it = any(
                f":{at}:{name}" in str(one.get("custom_id"))
                for one in walk(second.answer.payload.get("components") or ())
            )
            asked = second if on_it else self._use(second, f"page:{at}:0")
            yield from self.wait(asked)
        shown, asked = asked, self._use(asked, f"{kind}:{at}:{name}(?::.*)?", values)
        if asked is None:
            return shown
        yield from self.wait(asked)
        if fields:
            asked = self.submit(asked, fields)
            yield from self.wait(asked)
        return asked

    def _use(self, asked: Interaction | None, pattern: str, values: Sequence[str] = ()) -> Interaction | None:
        """Use the control with such a custom id in the panel that answered."""
        message = None if asked is None else asked.answer
        if message is None or message.id not in self.discord.messages:
            return None
        for one in walk(message.payload.get("components") or ()):
            if re.fullmatch(f"studii:{pattern}", str(one.get("custom_id"))):
                if values:
                    return self.choose(message, one, [value for value in values if value])
                return self.press(message, str(one["custom_id"]))
        return None

    def press_id(self, asked: Interaction | None, custom_id: str) -> Interaction | None:
        """Press the button whose custom id matches in what was answered; None if there is none."""
        message = None if asked is None else asked.answer
        for one in self.buttons(message):
            if message is not None and re.search(custom_id, str(one["custom_id"])):
                return self.press(message, str(one["custom_id"]))
        return None

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
            if one.get("type") == BUTTON and "custom_id" in one and not one.get("disabled"):
                yield one

    def labelled(self, message: Message | None, label: str) -> str | None:
        """Return the custom id of the button with words that match."""
        for one in self.buttons(message):
            if re.search(label, str(one.get("label") or "")):
                return str(one["custom_id"])
        return None

    def press_labelled(self, message: Message | None, label: str) -> Interaction | None:
        """Press the button with words that match; None if there is none."""
        custom_id = self.labelled(message, label)
        return None if message is None or custom_id is None else self.press(message, custom_id)

    def open_job(self, listed: Message | None, words: str = "") -> Interaction | None:
        """Open a job of a page of the list whose state matches; None if there is none."""
        for one in walk((listed.payload.get("components") if listed is not None else None) or ()):
            if listed is not None and re.search(wording.OPEN_JOB, str(one.get("custom_id"))):
                found = [job["value"] for job in one["options"] if re.search(words, job["description"])]
                return self.choose(listed, one, [self.rand.choice(found)]) if found else None
        return None

    def prompt(self, number: int) -> str:
        """Return a prompt by which the books know the request again, now and then with words that do more."""
        loud = [self.rand.choice(LOUD)] if self.rand.random() < 0.15 else []
        return f"{' '.join([*loud, *self.rand.sample(WORDS, 3)])} no. {number}"

    def results(self) -> list[Message]:
        """Return this person's latest results that can be pressed, newest first."""
        found = list[Message]()
        for message in reversed(self.discord.ever[-120:]):
            own = message.for_user == self.id or f"<@{self.id}>" in message.words()
            listing = re.search(wording.LISTING, " ".join(message.custom_ids()))
            shows = message.of_the_bot and message.files and not listing
            if own and shows and message.id in self.discord.messages:
                found.append(message)
        return found

    def result(self) -> Message | None:
        """Return one of this person's latest results."""
        found = self.results()
        return self.rand.choice(found[:4]) if found else None


def often(hours: float) -> Callable[[Callable[[Person], Plan | None]], Callable[[World, int], Plan]]:
    """Make an actor of what a person does about once in so many hours, while people act."""

    def made(deed: Callable[[Person], Plan | None]) -> Callable[[World, int], Plan]:
        @wraps(deed)
        def actor(world: World, user_id: int) -> Plan:
            person, name = Person(world, user_id, deed.__name__), deed.__name__
            yield SETTLING
            while True:
                yield person.rand.expovariate(world.every(hours, name))
                if not world.busy:
                    return
                yield from world.to_its_end(deed(person))

        return actor

    return made


# What members do. Each takes the person, and asks for pictures or looks at something.


def studio(person: Person) -> Plan:
    """Ask for a picture or a video."""
    rand, values, number = person.rand, dict[str, Any](), person.world.number()
    if rand.random() < 0.2:
        values["private"] = True
    if rand.random() < 0.2:
        values["mode"] = "video"
    if rand.random() < 0.2:
        values["image"] = person.photo(number)
    place = rand.choices((GENERAL, SHOWROOM, SIDE), (75, 15, 10))[0]
    count = 2 + number % 2 if number % 19 == 7 else 1  # variations
    if count > 1:
        values["variants"] = count
    for _ in range(count):
        person.world.wants(person.id, number, private="private" in values, place=place)
    asked = person.command(wording.STUDIO, place, prompt=person.prompt(number), **values)
    yield from person.wait(asked)
    yield rand.uniform(0, 20)
    if asked is None:
        return
    if rand.random() < 0.15:
        person.press_labelled(asked.answer, wording.CANCEL)
    elif (run := person.labelled(asked.answer, wording.RUN)) and asked.answer is not None:
        yield from _clicks(person, asked.answer, run)
    elif rand.random() < 0.5:
        person.press_labelled(asked.answer, wording.ASK_ADMIN)


def _clicks(person: Person, message: Message, custom_id: str) -> Plan:
    """Press a button, sometimes twice at once."""
    asked = person.press(message, custom_id)
    if person.rand.random() < 0.4:
        yield person.rand.choice((0.0, 0.05, 0.3))
        person.press(message, custom_id)
    yield from person.wait(asked)


def photo_tool(person: Person) -> Plan:
    """Use a tool on a photo, now and then on one that can't be decoded, or is slow to arrive at Studii."""
    number, rand = person.world.number(), person.rand
    kind: media.Kind = "whole" if rand.random() < 0.9 else rand.choice(("broken", "deadly"))
    person.world.wants(person.id, number)
    asked = person.command(rand.choice(wording.PHOTO_TOOLS), image=person.photo(number, kind))
    yield from person.wait(asked)
    if asked is not None and rand.random() < 0.1 and person.labelled(asked.answer, wording.CANCEL):
        yield from person.world.until_met("studii PUT ", Fault("slow", 5.0))
        yield rand.uniform(0.1, 3)
        person.press_labelled(asked.answer, wording.CANCEL)
        return
    yield rand.uniform(0, 10)
    if asked is not None and (run := person.labelled(asked.answer, wording.RUN)) and asked.answer:
        yield from _clicks(person, asked.answer, run)


def form(person: Person) -> Plan:
    """Fill in the form that a command without a prompt opens, or a button of the panel."""
    number, rand = person.world.number(), person.rand
    panels = [one for one in person.discord.in_channel(GENERAL) if re.search(wording.IS_PANEL, one.words())]
    if panels and rand.random() < 0.3:
        asked = person.press_labelled(panels[-1], wording.STUDIO_BUTTON)
    else:
        asked = person.command(wording.STUDIO)
    yield from person.wait(asked)
    yield rand.uniform(2, 60)
    person.world.wants(person.id, number)
    sent = person.fill_in(asked, **{wording.PROMPT_FIELD: person.prompt(number)})
    yield from person.wait(sent)


def message_menu(person: Person) -> Plan:
    """Post one or several photos, and use a tool of the message's menu on them."""
    numbers = [person.world.number() for _ in range(person.rand.choice((1, 1, 2, 3)))]
    message = person.post("look", numbers)
    yield person.rand.uniform(1, 10)
    if message is None:
        return
    for number in numbers:
        person.world.wants(person.id, number)
    menu = person.rand.choice(wording.MENUS)
    each = menu == wording.MENUS[0] and len(numbers) > 1 and person.rand.random() < 0.5
    asked = person.menu(message, menu)
    yield from person.wait(asked)
    yield person.rand.uniform(1, 10)
    sent = person.fill_in(asked, **({wording.ROOM: wording.EACH} if each else {}))
    yield from person.wait(sent)
    if each and sent is not None and sent.answer is not None:
        for one in walk(sent.answer.payload.get("components") or ()):
            if one.get("type") == MENU and person.rand.random() < 0.7:
                chosen = person.rand.choice(one["options"])["value"]
                yield from person.wait(person.choose(sent.answer, one, [chosen]))
        yield from person.wait(person.press_labelled(sent.answer, wording.RUN))
    if person.rand.random() < 0.1:
        yield person.rand.uniform(0, 5)
        if person.sees(message):
            person.discord.delete(message)


def tap(person: Person) -> Plan:
    """Post a photo, and put an emoji under it; answer the question that comes at the first time."""
    number = person.world.number()
    offered = person.rand.random() < 0.4
    message = person.post("", [number], SHOWROOM if offered else GENERAL)
    yield person.rand.uniform(3, 20)
    if message is None:
        return
    person.world.wants(person.id, number)
    person.tap(message, TAP)
    yield person.rand.uniform(4, 20)
    if person.rand.random() < 0.1 and person.sees(message):
        person.discord.unreact(message, person.id, TAP)
    yield from _answer_question(person, message, wording.RUN)


def mention(person: Person) -> Plan:
    """Mention the bot, with or without a photo, and choose what it offers."""
    number, rand = person.world.number(), person.rand
    numbers = [number] if rand.random() < 0.5 else []
    message = person.post(f"<@{APPLICATION_ID}> {person.prompt(number)}", numbers)
    yield rand.uniform(4, 20)
    if message is not None:
        person.world.wants(person.id, number)
        yield from _answer_question(person, message, rand.choice((wording.STUDIO_BUTTON, r".")))


def _answer_question(person: Person, about: Message, label: str) -> Plan:
    for message in reversed(person.discord.ever[-40:]):
        reference: Mapping[str, Any] = message.payload.get("message_reference") or {}
        if str(reference.get("message_id")) == str(about.id):
            if (custom_id := person.labelled(message, label)) is not None:
                yield from _clicks(person, message, custom_id)
            return


def again(person: Person) -> Plan:
    """Run something again, sometimes with two clicks at once."""
    message = person.result()
    custom_id = person.labelled(message, wording.AGAIN)
    if message is None or custom_id is None:
        return
    person.world.wants_again(message)
    asked = person.press(message, custom_id)
    if person.rand.random() < 0.4:
        yield person.rand.choice((0.0, 0.05, 0.3))
        person.press(message, custom_id)
    yield from person.wait(asked)


def edit(person: Person) -> Plan:
    """Change the prompt of a result."""
    message, number = person.result(), person.world.number()
    asked = person.press_labelled(message, wording.EDIT)
    yield from person.wait(asked)
    yield person.rand.uniform(1, 20)
    if asked is not None and message is not None:
        person.world.wants(person.id, number, private=None, place=message.channel_id)
        person.world.wants_again(message)  # the photo is the same, where there is one
        sent = person.fill_in(asked, **{wording.PROMPT_FIELD: person.prompt(number)})
        yield from person.wait(sent)


def vary(person: Person) -> Plan:
    """Ask for variations of a result, by styles or by number. Sometimes submit the form twice."""
    message, rand = person.result(), person.rand
    asked = yield from _more(person, message, wording.VARIATIONS)
    yield rand.uniform(1, 20)
    if message is None or asked is None or asked.said is None or "title" not in asked.said:
        return
    fields = {one["component"]["custom_id"]: one["component"] for one in asked.said["components"]}
    offered = [one["value"] for one in fields.get(wording.STYLE, {}).get("options", ())]
    styles, count = rand.sample(offered, min(len(offered), rand.randint(0, 4))), rand.randint(2, 4)
    for _ in range(len(styles) or count):
        person.world.wants_again(message)
    chosen = {wording.COUNT: [str(count)], wording.STYLE: styles}
    sent = person.submit(asked, chosen)
    if rand.random() < 0.3:
        yield rand.choice((0.0, 0.1, 0.5))
        person.submit(asked, chosen)
    yield from person.wait(sent)
    yield rand.uniform(0, 10)
    if sent is not None and (run := person.labelled(sent.answer, wording.RUN)) and sent.answer is not None:
        yield from _clicks(person, sent.answer, run)


def _more(person: Person, shown: Message | None, *labels: str) -> Generator[float, None, Interaction | None]:
    """Press *More…* under a result, and what it offers, one after the other. Return the last answer."""
    asked = None
    for label in (wording.MORE, *labels):
        asked = person.press_labelled(shown, label)
        yield from person.wait(asked)
        if asked is None:
            return None
        shown = asked.answer or shown
    return asked


def save_style(person: Person) -> Plan:
    """Save a result as a style."""
    asked = yield from _more(person, person.result(), wording.SAVE)
    yield person.rand.uniform(1, 10)
    person.fill_in(asked, name=f"style {person.rand.randint(1, 5)}")


def styled(person: Person) -> Plan:
    """Ask for a picture in the server's style."""
    number = person.world.number()
    person.world.wants(person.id, number)
    asked = person.command(wording.STUDIO, prompt=person.prompt(number), style="noir")
    yield from person.wait(asked)


def delete(person: Person) -> Plan:
    """Delete a result."""
    yield from _more(person, person.result(), wording.DELETE, wording.DELETE)


def listing(person: Person) -> Plan:
    """Look at the jobs, open one or not, and press one of the buttons there."""
    asked = person.command(wording.JOBS)
    yield from person.wait(asked)
    yield person.rand.uniform(1, 10)
    if asked is None or asked.answer is None:
        return
    if person.rand.random() < 0.5:
        yield from person.wait(person.open_job(asked.answer))
    labels = [str(one.get("label")) for one in person.buttons(asked.answer)]
    if harmless := [one for one in labels if re.search(wording.LISTED, one)]:
        person.press_labelled(asked.answer, f"^{re.escape(person.rand.choice(harmless))}$")


def look(person: Person) -> Plan:
    """Look at something that costs nothing."""
    asks = (wording.CREDITS, wording.HELP, wording.SETTINGS, wording.STYLES)
    asked = person.command(person.rand.choice(asks))
    yield from person.wait(asked)


def forget_me(person: Person) -> Plan:
    """Have everything erased that the bot keeps of one."""
    world = person.world
    asked = person.command(wording.SETTINGS)
    yield from person.wait(asked)
    shown = None if asked is None else asked.answer
    yield from person.wait(person.press_labelled(shown, wording.ERASE_ASK))
    at = world.clock.now
    yield from person.wait(person.press_labelled(None if asked is None else asked.answer, wording.ERASE))
    if asked is not None and asked.answer and re.search(wording.ERASED, asked.answer.words()):
        world.forgotten[person.id] = at


DEEDS: Mapping[Callable[[Person], Plan], int] = {
    studio: 40,
    photo_tool: 14,
    form: 8,
    message_menu: 6,
    tap: 7,
    mention: 5,
    again: 7,
    edit: 4,
    vary: 6,
    save_style: 1,
    styled: 3,
    delete: 2,
    listing: 3,
    look: 3,
    forget_me: 1,
}


def member(world: World, user_id: int) -> Plan:
    """Ask for pictures, now and then."""
    person, rand = Person(world, user_id, "member"), world.clock.random(f"member {user_id}'s day")
    yield SETTLING
    while True:
        yield rand.expovariate(world.acts(0.16))
        if not world.busy:
            return
        (deed,) = rand.choices(list(DEEDS), list(DEEDS.values()))
        world.counts[f"deed: {deed.__name__}"] += 1
        yield from deed(person)


@often(1)
def crowd(person: Person) -> None:
    """Several people ask for a picture at the same moment, or for so many that they have to wait."""
    rand = person.rand
    ask_together(
        person.world, rand.sample(MEMBERS, rand.randint(2, len(MEMBERS))) * rand.choice((1, 1, 1, 1, 3))
    )


def ask_together(world: World, members: Sequence[int]) -> None:
    """Let each of these members ask for a picture at the same moment."""
    for user_id in members:
        person, number = Person(world, user_id, f"in a crowd {world.last_number}"), world.number()
        world.wants(user_id, number)
        person.command(wording.STUDIO, prompt=person.prompt(number))


ACTORS = [*((member, one) for one in MEMBERS), (crowd, MEMBERS[0])]
