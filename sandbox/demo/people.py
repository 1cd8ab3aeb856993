"""People of the demo's server, who act as on the page and see what stands there."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sandbox.demo.acts import BUTTON, Acts, File, NotPossibleError
from sandbox.demo.place import PHOTO_DESK, Person
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.messages import LOADING, Message, walk
from sandbox.discord.emulator.places import USER_NAMES
from sandbox.discord.reading import texts

T = TypeVar("T")
STEP_TIMEOUT = 120.0  # seconds; a step takes one or two, unless the machine is busy
LOOK_EVERY = 0.03
_MARKS = re.compile(r"^(?:#{1,3}|-#|>|-) |\*\*|\|\||`", re.MULTILINE)  # of Discord's markdown


async def until(look: Callable[[], T | None], what: str) -> T:
    """Call `look` until its result is true, and return it. Raises TimeoutError after two minutes."""
    deadline = time.monotonic() + STEP_TIMEOUT
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {STEP_TIMEOUT:.0f} s for {what}.")
        await asyncio.sleep(LOOK_EVERY)
    return seen


def sample(photos: Mapping[str, bytes], words: str) -> File:
    """Return the photo with these words in its name."""
    name = next(name for name in photos if words in name)
    return name, photos[name], "image/jpeg"


def text_of(message: Message) -> str:
    """Return all text that a person reads in a message, with its buttons' labels, line by line."""
    told = message.told()
    return "\n".join(filter(None, [str(told["content"]), *texts(told["components"])]))


def quoted(text: str) -> str:
    """Return a text in one line, in quotation marks."""
    return f"“{' '.join(text.split())}”"


def plain(server: DiscordServer, text: str) -> str:
    """Return a text with markup in one line, as it is read: with names for mentions, and without marks."""
    text = re.sub(r"<@(\d+)>", lambda found: f"@{USER_NAMES.get(int(found[1]), 'someone')}", text)
    text = re.sub(r"<#(\d+)>", lambda found: f"#{server.places.channels[int(found[1])].name}", text)
    text = re.sub(r"</([^:>]+):\d+>", r"/\1", text)
    text = re.sub(r"<t:\d+(?::\w)?>", "just now", text)
    return " ".join(_MARKS.sub("", text).split())


class Guest:
    """Somebody who uses the bot in the first channel."""

    def __init__(self, server: DiscordServer, acts: Acts, person: Person) -> None:
        self._server = server
        self._acts = acts
        self.id = person.id
        self.name = person.name

    async def command(self, name: str, /, **options: Any) -> Message:
        """Use a slash command and return what it is answered with. Files are `File`s."""
        return await self._message(await self._acts.command(self.id, PHOTO_DESK, name.split(" "), options))

    async def form(self, name: str, /, **options: Any) -> Mapping[str, Any]:
        """Use a slash command that opens a form, and return the form."""
        return _form(await self._acts.command(self.id, PHOTO_DESK, name.split(" "), options))

    async def menu(self, name: str, message: Message) -> Mapping[str, Any]:
        """Use a command of a message's menu that opens a form, and return the form."""
        return _form(await self._acts.menu(self.id, message.id, name))

    async def fill_in(self, form: Mapping[str, Any], values: Mapping[str, Any]) -> Message:
        """Send a form with these values by custom id, and what it holds already in its other fields."""
        given = dict(held(form)) | dict(values)
        return await self._message(await self._acts.submit(self.id, str(form["token"]), given))

    async def press(self, message: Message, label: str) -> Message:
        """Press the button of that label under a message, and return the answer."""
        return await self._message(await self._press(message, label))

    async def open_job(self, listed: Message, place: int = 0) -> Message:
        """Open a job of a page of `/jobs`."""
        parts = list(walk(listed.told()["components"]))
        select = next(one for one in parts if str(one.get("custom_id")).startswith("studii:jobsopen:"))
        job = [select["options"][place]["value"]]
        return await self._message(await self._acts.press(self.id, listed.id, select["custom_id"], job))

    def dismiss(self, *messages: Message) -> None:
        """Dismiss messages that only this person sees."""
        for message in messages:
            self._acts.delete(self.id, message.id)

    async def press_for_form(self, message: Message, label: str) -> Mapping[str, Any]:
        """Press a button that opens a form, and return the form."""
        return _form(await self._press(message, label))

    async def confirm(self, question: Message) -> None:
        """Press the button of a question before a job, which goes then."""
        await self._press(question, "Run · ")

    async def _press(self, message: Message, label: str) -> dict[str, Any]:
        parts = walk(message.told()["components"])
        buttons = (one for one in parts if one.get("type") == BUTTON and "custom_id" in one)
        found = next((one for one in buttons if label in one.get("label", "")), None)
        if found is None:
            raise NotPossibleError(f"There is no button {quoted(label)} in {quoted(text_of(message))}.")
        return await self._acts.press(self.id, message.id, found["custom_id"])

    async def change(self, way: str, name: str, *values: str, **fields: Any) -> Message:
        """Change a setting in a panel of `/studii`: `way` is the command's name and the pages after it.

        Its form is handed in with `fields`, or `values` are chosen from its list; without either, its button
        is pressed. Return the panel.
        """
        first, *pages = way.split()
        panel, at = await self.command(f"studii {first}"), way.split()[-1]
        for page in pages:
            panel = await self._message(await self._use(panel, f"page:{page}:0"))
        shown = [str(one.get("custom_id")) for one in walk(panel.told()["components"])]
        if not any(re.match(f"studii:\\w+:{at}:{name}(?::|$)", one) for one in shown):
            panel = await self._message(await self._use(panel, f"page:{at}:1"))
        if fields:
            return await self.fill_in(_form(await self._use(panel, f"fill:{at}:{name}")), fields)
        kinds = "(?:pick|drop)" if values else "put"
        return await self._message(await self._use(panel, f"{kinds}:{at}:{name}(?::.*)?", values))

    async def press_in(self, way: str, what: str) -> Message:
        """Press a button of a panel of `/studii` by its custom id, and return the answer."""
        return await self._message(await self._use(await self.command(f"studii {way}"), f"{what}(?::.*)?"))

    async def key_form(self) -> Mapping[str, Any]:
        """Open the form of the server's key."""
        return _form(await self._use(await self.command("studii setup"), "setup:key"))

    async def _use(self, panel: Message, pattern: str, values: Sequence[str] = ()) -> Mapping[str, Any]:
        ids = (str(one.get("custom_id")) for one in walk(panel.told()["components"]))
        found = next((one for one in ids if re.fullmatch(f"studii:{pattern}", one)), None)
        if found is None:
            raise NotPossibleError(f"There is no {pattern} in {quoted(text_of(panel))}.")
        return await self._acts.press(self.id, panel.id, found, [one for one in values if one])

    def post(self, words: str, *files: File) -> Message:
        """Post photos in one message."""
        return self._acts.post(self.id, PHOTO_DESK, words, files)

    def tap(self, message: Message, emoji: str) -> None:
        """Put an emoji under a message, or take it away."""
        self._acts.react(self.id, message.id, emoji)

    async def result_after(self, start: Message) -> Message:
        """Wait for the first picture after a message that is for this person."""
        return await until(lambda: self._first_after(start.id), f"a result for {self.name}")

    async def named_after(self, start: Message) -> Message:
        """Wait for the first message of the bot after another one that names this person."""
        return await until(
            lambda: next((one for one in self._named_after(start.id)), None), f"a message for {self.name}"
        )

    def _named_after(self, message_id: int) -> Iterator[Message]:
        for one in self._server.in_channel(PHOTO_DESK):
            if one.id > message_id and one.of_the_bot and f"<@{self.id}>" in text_of(one):
                yield one

    def _first_after(self, message_id: int) -> Message | None:
        return next((one for one in self._named_after(message_id) if one.files), None)

    async def _message(self, answer: Mapping[str, Any]) -> Message:
        if answer.get("message") is None:
            raise NotPossibleError("There was no answer to read.")
        message = self._server.messages[int(answer["message"])]
        await until(lambda: not message.flags & LOADING, "the answer after a deferral")
        return message


def _form(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "form" not in answer:
        raise NotPossibleError("The answer is no form.")
    return answer["form"]


def held(form: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the custom id of each field, and the value that the form holds already."""
    for part in form["components"]:
        field = part.get("component") or next(iter(part.get("components", ())), None)
        if field is None:
            continue
        chosen = [one["value"] for one in field.get("options", ()) if one.get("default")]
        if "options" in field and field["type"] != 21:
            yield field["custom_id"], chosen
        elif "options" in field:
            yield field["custom_id"], next(iter(chosen), None)
        else:
            yield field["custom_id"], field.get("value", field.get("default", ""))
