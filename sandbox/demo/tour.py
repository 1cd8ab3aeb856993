"""A tour through the bot: what an admin and two members do, step by step, each checked as it happens."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.demo.acts import Acts, NotPossibleError
from sandbox.demo.people import Guest, plain, quoted, sample, text_of, until
from sandbox.demo.place import MAYA, MIKA, NORA, PEOPLE, PHOTO_DESK, SHOWROOM, TEAM, TOM
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import APPLICATION_ID
from sandbox.studii import StudiiServer

STAGING = "🛋️"
STAR = "⭐"
BUDGET = 500  # credits a day, enough for the tour and an evening of trying


@dataclass(frozen=True)
class Step:
    """One thing that somebody does; `act` gives a word about how it went, or raises."""

    title: str
    act: Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Taken:
    """How a step went. `failed`: something did not go as the tour says, and it ends here."""

    detail: str
    failed: bool = False


class StepFailedError(Exception):
    """Something did not go as the tour says."""


class Tour:
    """The tour's steps in the demo's server, and the outputs that they made."""

    def __init__(
        self, server: DiscordServer, studii: StudiiServer, acts: Acts, photos: Mapping[str, bytes]
    ) -> None:
        self._server = server
        self._studii = studii
        self._photos = photos
        guests = {person.id: Guest(server, acts, person) for person in PEOPLE}
        self._nora, self._maya, self._tom, self._mika = (guests[one] for one in (NORA, MAYA, TOM, MIKA))
        self.outputs: dict[str, bytes] = {}
        self._latest: Message
        self._made: Message  # Maya's picture

    @property
    def steps(self) -> tuple[Step, ...]:
        maya, tom, photo, words = self._maya, self._tom, self._from_photo, self._make
        harbour = "A quiet harbour at dawn, soft golden light"
        return (
            Step("Nora, an admin, sets the server's Studii key", self.set_key),
            Step("Nora turns on tools under each photo in the channel", self._offer_photos),
            Step("Nora posts the panel, and Tom restores a photo without typing a command", self._panel),
            Step(f"Maya types /studio: {harbour}", lambda: self._studio(harbour)),
            Step("Maya saves her result as a style, and makes another picture with it", self._style),
            Step("Mika stars Maya's picture, and Maya lets it be shown among the best", self._star),
            Step("Tom furnishes an empty room", lambda: photo(tom, "virtual-staging", "room")),
            Step("Maya restores an old photo", lambda: photo(maya, "photo-restore", "old")),
            Step("Tom gives a product a new background", lambda: photo(tom, "product-background", "product")),
            Step("Maya makes a career portrait", lambda: photo(maya, "career-photo", "portrait")),
            Step("Tom picks Virtual staging in the menu of Maya's photo, and fills in the form", self._menu),
            Step("Maya presses Run again under Tom's result", self._again),
            Step("Maya posts a photo, and Tom taps an emoji under it", self._tap),
            Step("Maya mentions the bot with a photo, and presses Photo restoration", self._mention),
            Step("Tom posts three photos, and starts a set of all from their menu", self._set),
            Step("Tom makes a video", lambda: words(tom, "studio", prompt="Waves at dawn", mode="video")),
            Step("Nora adds a word rule, and Tom's prompt is refused", self._word_rule),
            Step("Nora asks for approval, and Mika approves Maya's job, then its result", self._approval),
            Step("Nora lowers the budget, and Maya's next job is refused; she asks for more", self._refused),
            Step("Maya checks /credits", self._credits),
        )  # fmt: skip

    async def take(self) -> AsyncIterator[tuple[str, Taken | None]]:
        """Take the steps one after the other; yield the title of each before and after it.

        It ends after a step that failed.
        """
        for step in self.steps:
            yield step.title, None
            try:
                taken = Taken(await step.act())
            except (StepFailedError, NotPossibleError, TimeoutError) as error:
                taken = Taken(str(error), failed=True)
            yield step.title, taken
            if taken.failed:
                return

    async def set_key(self) -> str:
        key = self._studii.add_key("team", balance=5000)
        form = await self._nora.key_form()
        answer = await self._nora.fill_in(form, {"key": key.secret, "plan": ["team"]})
        said = text_of(answer)
        budget = await self._nora.command("studii budget", credits=BUDGET, period="day")
        self._nora.dismiss(answer, budget)  # so that she begins as one who has opened nothing
        expect(key.secret[-4:] in said, f"the masked key in the answer, not {quoted(said)}")
        expect(key.secret not in said, "the key not to be shown")
        return f"shown from now on as stu_…{key.secret[-4:]}"

    async def _from_photo(self, who: Guest, tool: str, photo: str) -> str:
        return await self._make(who, tool, image=sample(self._photos, photo))

    async def _make(self, who: Guest, tool: str, **options: Any) -> str:
        before = self._charged()
        progress = await self._started(who, tool, **options)
        name, data = await self._output(tool, await who.result_after(progress))
        if "image" in options:
            sent = {upload.data for upload in self._studii.uploads.values()}
            expect(options["image"][1] in sent, "the photo to reach Studii byte for byte")
        self.outputs[name] = data
        return f"{name}, {len(data) / 1000:,.0f} kB, {self._charged() - before} credits"

    async def _studio(self, prompt: str) -> str:
        before = self._charged()
        self._made = await self._maya.result_after(await self._started(self._maya, "studio", prompt=prompt))
        name, data = await self._output("studio", self._made)
        self.outputs[name] = data
        return f"{name}, {self._charged() - before} credits"

    async def _started(self, who: Guest, tool: str, **options: Any) -> Message:
        progress = await who.command(tool, **options)
        expect(progress.ephemeral, f"progress for {who.name} alone, not {quoted(text_of(progress))}")
        return progress

    async def _style(self) -> str:
        form = await self._maya.press_for_form(await self._maya.press(self._made, "More…"), "Save as style")
        prompt = "{text} at dawn, soft golden light"
        saved = text_of(await self._maya.fill_in(form, {"name": "Golden dawn", "prompt": prompt}))
        # Or it is there already, when the tour is played again.
        expect("Golden dawn" in saved, f"the style to be saved, not {quoted(saved)}")
        progress = await self._started(self._maya, "studio", prompt="A lighthouse", style="golden dawn")
        made = await self._maya.result_after(progress)
        whole = prompt.replace("{text}", "A lighthouse")
        expect(whole in text_of(made), f"her words in the style's prompt, not {quoted(text_of(made))}")
        return f"“A lighthouse” becomes “{whole}”"

    async def _star(self) -> str:
        await self._nora.change("results", "best_channel_id", str(SHOWROOM))
        dm, before = self._server.channels.dm_with(MAYA).id, self._newest_id()
        self._mika.tap(self._made, STAR)
        # Once she has agreed, Maya isn't asked again when the tour is played again.
        asked = await until(
            lambda: self._after(before, dm) or self._after(before, SHOWROOM), "Maya to be asked"
        )
        if asked.channel_id == dm:
            expect(not self._after(before, SHOWROOM), "nothing to be shown before Maya agrees")
            await self._maya.press(asked, "Show my results")
        shown = await self._seen(SHOWROOM, before, "the picture among the best")
        (file,), (made, *_) = shown.files.values(), self._made.files.values()
        expect(file.data == made.data, "the picture to be shown byte for byte")
        title = plain(self._server, text_of(shown).splitlines()[0])
        return f"asked by direct message first; shown in #showroom: {title}"

    async def _panel(self) -> str:
        before = self._newest_id()
        said = text_of(await self._nora.press_in("setup", "setup:panel"))
        expect("is posted" in said, f"the panel to be posted, not {quoted(said)}")
        panel = await self._seen(PHOTO_DESK, before, "the panel")
        told = text_of(await self._tom.press(panel, "Show help"))
        expect(
            "What you can do here" in told and "As an admin" not in told, f"help for Tom, not {quoted(told)}"
        )
        form = await self._tom.press_for_form(panel, "Photo restoration")
        progress = await self._tom.fill_in(form, {"image": [sample(self._photos, "old")]})
        await self._output("photo-restore", await self._tom.result_after(progress))
        return form_words(form)

    async def _menu(self) -> str:
        photo = next(one for one in self._server.posted_by_people() if one.files)
        form = await self._tom.menu("Virtual staging", photo)
        progress = await self._tom.fill_in(form, {"style": "scandinavian", "room": "bedroom"})
        self._latest = await self._tom.result_after(progress)
        files = [file.data for file in self._latest.files.values()]
        before = next(iter(photo.files.values())).data
        expect(before in files[1:], "the photo before beside the new one")
        return f"{form_words(form)}\nbefore and after are side by side"

    async def _again(self) -> str:
        before = self._charged()
        await self._maya.result_after(await self._maya.press(self._latest, "Run again"))
        return f"for Maya this time, {self._charged() - before} credits"

    async def _offer_photos(self) -> str:
        said = text_of(await self._nora.change("photos", "offers", str(PHOTO_DESK)))
        expect(
            "added" in said or f"<#{PHOTO_DESK}>" in said, f"the channel to offer them, not {quoted(said)}"
        )
        return "new photos there get emoji to tap"

    async def _tap(self) -> str:
        posted = self._maya.post("Tap one of the emoji under it", sample(self._photos, "room"))
        await until(lambda: STAGING in posted.reactions, "the bot's emoji under the photo")
        offered = list(posted.reactions)
        before = self._charged()
        self._tom.tap(posted, STAGING)
        question = await self._tom.named_after(posted)
        asks = "Start it?" in text_of(question)
        if asks:  # only before somebody's first tap, so not when the tour is played again
            await self._tom.confirm(question)
        await self._output("virtual-staging", await self._tom.result_after(posted))
        charged = self._charged() - before
        first = "his first tap asks, and costs" if asks else "it costs"
        return f"{' '.join(offered)}; {STAGING} for Tom\n{first} {charged} credits"

    async def _mention(self) -> str:
        posted = self._maya.post(f"<@{APPLICATION_ID}>", sample(self._photos, "old"))
        offer = await self._maya.named_after(posted)
        label = next(line for line in text_of(offer).splitlines() if line.startswith("Photo restoration"))
        await self._output(
            "photo-restore", await self._maya.result_after(await self._maya.press(offer, label))
        )
        return f"offered as “{label}”"

    async def _set(self) -> str:
        before = self._charged()
        files = [(name, data, "image/jpeg") for name, data in list(self._photos.items())[:3]]
        posted = self._tom.post("Three at once", *files)
        form = await self._tom.menu("Photo restoration", posted)
        choice = form["components"][0]["component"]["options"][0]
        expect(
            choice["label"].startswith("All 3 · "), f"all three to be offered, not {quoted(choice['label'])}"
        )
        await self._tom.fill_in(form, {"image": [choice["value"]]})
        results = await self._tom.result_after(posted)
        expect(len(results.files) == 6, f"three results beside their photos, not {list(results.files)}")
        return f"“{choice['label']}”: {self._charged() - before} credits"

    async def _output(self, tool: str, result: Message) -> tuple[str, bytes]:
        name, file = next(iter(result.files.items()))
        made = await self._studii.output_of(list(self._studii.jobs)[-1])
        expect(file.data == made.data, "the posted file to equal Studii's output byte for byte")
        return f"{tool}{Path(name).suffix}", made.data

    def _charged(self) -> int:
        return sum(job.charged for job in self._studii.jobs.values())

    async def _refused(self) -> str:
        jobs = len(self._studii.jobs)
        await self._nora.command("studii budget", credits=1, period="day")
        answer = await self._maya.command("studio", prompt="One more, please")
        said = text_of(answer)
        expect(answer.ephemeral and "budget" in said, f"a refusal that names the budget, not {quoted(said)}")
        expect(len(self._studii.jobs) == jobs, "nothing to be sent to Studii")
        await self._maya.press(answer, "Ask an admin")
        request = await self._maya.named_after(answer)
        await self._nora.press(request, "Grant ")
        await until(lambda: "Granted" in text_of(request) or None, "the request to be granted")
        granted = text_of(request).splitlines()[-1]
        await self._nora.command("studii grant", credits=-int(granted.split()[1]))
        await self._nora.command("studii budget", credits=BUDGET, period="day")
        refused, granted = (plain(self._server, words) for words in (said.splitlines()[0], granted))
        return f"{refused}\nMaya asks an admin: {granted}"

    async def _word_rule(self) -> str:
        await self._nora.change("moderation words", "rules", words="blimp*")
        answer = await self._tom.command("studio", prompt="A fleet of BLІMPS over the harbour")
        await self._nora.change("moderation words", "rules", "blimp*")
        said = text_of(answer)
        expect(
            answer.ephemeral and "word filter" in said,
            f"a refusal that names the word filter, not {quoted(said)}",
        )
        return plain(self._server, said)

    async def _approval(self) -> str:
        await self._nora.change("moderation approvals", "approval_channel", str(TEAM))
        await self._nora.change("moderation approvals", "tools", "studio")
        await self._nora.change("moderation approvals", "approval_results")
        sent, before = len(self._studii.jobs), self._newest_id()
        progress = await self._started(self._maya, "studio", prompt="A lighthouse in a storm")
        where = "in the moderators' channel"
        request = await self._seen(TEAM, before, f"the request {where}")
        expect(len(self._studii.jobs) == sent, "nothing to be sent to Studii before it is approved")
        asked = plain(self._server, text_of(request))
        await self._mika.press(request, "Approve")
        result = await self._seen(TEAM, request.id, f"the result {where}")
        await self._mika.press(result, "Approve")
        await self._maya.result_after(progress)
        await self._nora.change("moderation approvals", "approval_channel", "")
        return asked

    def _newest_id(self) -> int:
        return max(self._server.messages)

    def _after(self, message_id: int, channel_id: int) -> Message | None:
        """Return the bot's first message in a channel after that one."""
        later = (one for one in self._server.in_channel(channel_id) if one.id > message_id and one.of_the_bot)
        return next((one for one in later if not one.ephemeral), None)

    async def _seen(self, channel_id: int, after: int, what: str) -> Message:
        """Wait for the bot's first message in that channel after another one. `what` says what it is."""
        return await until(lambda: self._after(after, channel_id), what)

    async def _credits(self) -> str:
        said = text_of(await self._maya.command("credits"))
        expect(str(BUDGET) in said, f"the budget in the answer, not {quoted(said)}")
        return f"{self._charged()} of {BUDGET} credits used"


def form_words(form: Mapping[str, Any]) -> str:
    """Return the words of the form: each field, and what it holds."""
    fields: list[str] = [f"form: {form['title']}"]
    for label in form["components"]:
        field = label.get("component")
        if field is None:
            continue
        options = field.get("options", [])
        chosen = next((one["label"] for one in options if one.get("default")), field.get("value", ""))
        of = f" (of {len(options)})" if options else ""
        fields.append(f"  {label['label']}: {chosen or 'empty'}{of}")
    return "\n".join(fields)


def expect(seen: bool, what: str) -> None:
    """Raise `StepFailedError` unless what was expected was seen."""
    if not seen:
        raise StepFailedError(f"Expected {what}.")
