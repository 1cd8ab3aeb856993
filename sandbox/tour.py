"""A tour through the bot: what an admin and two members do, step by step, each checked as it happens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from sandbox.people import Person, text_of, until
from sandbox.stage import Stage

STAGING = "🛋️"
BUDGET = 500  # credits a day, enough for the tour and an evening of trying


@dataclass(frozen=True)
class Step:
    """One thing that somebody does; `act` gives a word about how it went, or raises."""

    title: str
    act: Callable[[], Awaitable[str]]


class StepFailedError(Exception):
    """Something did not go as the tour says."""


class Tour:
    """The tour's steps on a stage, and the outputs that they made."""

    def __init__(self, stage: Stage, photos: Mapping[str, bytes]) -> None:
        self._stage = stage
        self._photos = photos
        self._nora = Person(stage, stage.world.admin)
        self._maya = Person(stage, stage.world.maya)
        self._tom = Person(stage, stage.world.tom)
        self.outputs: dict[str, bytes] = {}
        self._latest: discord.Message

    @property
    def steps(self) -> tuple[Step, ...]:
        maya, tom, photo, words = self._maya, self._tom, self._from_photo, self._make
        harbour = "A quiet harbour at dawn, soft golden light"
        return (
            Step("Nora, an admin, sets the server's Studii key", self._set_key),
            Step("Nora turns on tools under each photo in the channel", self._offer_photos),
            Step(f"Maya types /studio: {harbour}", lambda: words(maya, "studio", prompt=harbour)),
            Step("Tom furnishes an empty room", lambda: photo(tom, "virtual-staging", "room")),
            Step("Maya restores an old photo", lambda: photo(maya, "photo-restore", "old")),
            Step("Tom gives a product a new background", lambda: photo(tom, "product-background", "product")),
            Step("Maya makes a career portrait", lambda: photo(maya, "career-photo", "portrait")),
            Step("Tom picks Virtual staging in the menu of Maya's photo, and fills in the form", self._menu),
            Step("Maya presses Run again under Tom's result", self._again),
            Step("Maya posts a photo, and Tom taps an emoji under it", self._tap),
            Step("Tom makes a video", lambda: words(tom, "studio", prompt="Waves at dawn", mode="video")),
            Step("Nora lowers the budget, and Maya's next job is refused", self._refused),
            Step("Maya checks /credits", self._credits),
        )  # fmt: skip

    async def _set_key(self) -> str:
        key = self._stage.studii.add_key("team", balance=5000)
        answer = await self._nora.set_key(key.secret, "team", str(BUDGET))
        said = text_of(answer.response) or text_of(answer.followups[-1] if answer.followups else None)
        expect(key.secret[-4:] in said, f"the masked key in the answer, not {said!r}")
        expect(key.secret not in said, "the key not to be shown")
        return f"shown from now on as stu_…{key.secret[-4:]}"

    async def _from_photo(self, who: Person, tool: str, photo: str) -> str:
        name = next(name for name in self._photos if photo in name)
        return await self._make(who, tool, image=(name, self._photos[name]))

    async def _make(self, who: Person, tool: str, **options: Any) -> str:
        before = self._charged()
        answer = await who.command(tool, **options)
        result = await who.result_of(answer)
        name, data = await self._output(tool, result)
        if "image" in options:
            sent = {upload.data for upload in self._stage.studii.uploads.values()}
            expect(options["image"][1] in sent, "the photo to reach Studii byte for byte")
        self.outputs[name] = data
        return f"{name}, {len(data) / 1000:,.0f} kB, {self._charged() - before} credits"

    async def _menu(self) -> str:
        photo = next(one for one in self._stage.world.channel.history() if one.attachments)
        shown = await self._tom.menu("Virtual staging", photo)
        expect(shown.modal is not None, f"a form, not {text_of(shown.response)!r}")
        form = _form_words(shown.modal or {})
        card = await self._tom.fill_in(shown, {"style": "scandinavian", "room": "bedroom"})
        self._latest = await self._tom.result_of(card)
        files = [await one.read() for one in self._latest.attachments]
        expect(files[1:] == [await photo.attachments[0].read()], "the photo before beside the new one")
        return f"{form}\n  before and after are side by side"

    async def _again(self) -> str:
        before = self._charged()
        result = await self._maya.result_of(await self._maya.press(self._latest, "Run again"))
        expect(self._maya.actor.id in {user.id for user in result.mentions}, "Maya to be the requester")
        return f"for Maya this time, {self._charged() - before} credits"

    async def _offer_photos(self) -> str:
        said = text_of((await self._nora.command("studii photos offer")).response)
        expect("offered under photos" in said, f"the channel to offer them, not {said!r}")
        return "new photos there get emoji to tap"

    async def _tap(self) -> str:
        name = next(name for name in self._photos if "room" in name)
        posted = await self._maya.post(name, self._photos[name], "Tap one of the emoji under it")
        await until(lambda: STAGING in self._tom.emoji_under(posted), "the bot's emoji under the photo")
        offered = self._tom.emoji_under(posted)
        before = self._charged()
        await self._tom.tap(posted, STAGING)
        card = await self._tom.reply_to(posted.id, "a card under the photo")
        expect(f"<@{self._tom.actor.id}>" in text_of(card), f"Tom's card, not {text_of(card)!r}")
        result = await self._tom.reply_to(card.id, "the result")
        await self._output("virtual-staging", result)
        expect(self._tom.actor.id in {user.id for user in result.mentions}, "Tom to be the requester")
        return f"{' '.join(offered)}; {STAGING} for Tom, {self._charged() - before} credits"

    async def _output(self, tool: str, result: discord.Message) -> tuple[str, bytes]:
        expect(bool(result.attachments), "a file in the result")
        data = await result.attachments[0].read()
        made = await self._stage.studii.output_of(list(self._stage.studii.jobs)[-1])
        expect(data == made.data, "the posted file to equal Studii's output byte for byte")
        return f"{tool}{Path(result.attachments[0].filename).suffix}", data

    def _charged(self) -> int:
        return sum(job.charged for job in self._stage.studii.jobs.values())

    async def _refused(self) -> str:
        jobs = len(self._stage.studii.jobs)
        await self._nora.command("studii budget", credits=1, period="day")
        answer = await self._maya.command("studio", prompt="One more, please")
        await self._nora.command("studii budget", credits=BUDGET, period="day")
        said = text_of(answer.response)
        expect(bool(answer.ephemeral) and "budget" in said, f"a refusal that names the budget, not {said!r}")
        expect(len(self._stage.studii.jobs) == jobs, "nothing to be sent to Studii")
        return " ".join(said.split())

    async def _credits(self) -> str:
        await until(self._all_settled, "the ledger to be settled")
        answer = await self._maya.command("credits")
        said = text_of(answer.response)
        expect(str(BUDGET) in said, f"the budget in the answer, not {said!r}")
        return f"{self._charged()} of {BUDGET} credits used"

    async def _all_settled(self) -> bool:
        state = await self._stage.app.services.credits.budget(self._stage.world.guild.id)
        return state.usage.settled == self._charged() and state.usage.reserved == 0


def _form_words(modal: Mapping[str, Any]) -> str:
    """Return the words of the form: each field, and what it holds."""
    fields: list[str] = [f"form: {modal['title']}"]
    for label in modal["components"]:
        field = label["component"]
        options = field.get("options", [])
        chosen = next((one["label"] for one in options if one.get("default")), field.get("value", ""))
        more = f"  ▾ {len(options)} choices" if options else ""
        fields.append(f"    {label['label']}: [{chosen}]{more}")
    return "\n".join(fields)


def expect(seen: bool, what: str) -> None:
    """Raise `StepFailedError` unless what was expected was seen."""
    if not seen:
        raise StepFailedError(f"Expected {what}.")


async def run_tour(tour: Tour, console: Console) -> bool:
    """Take the steps one after the other, saying how each went. Returns whether all went well."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=len(tour.steps))
        for step in tour.steps:
            progress.update(task, description=step.title)
            try:
                detail = await step.act()
            except (StepFailedError, AssertionError, TimeoutError) as error:
                progress.console.print(
                    f"[red]✘[/] {escape(step.title)}\n  {escape(str(error))}", highlight=False
                )
                return False
            progress.console.print(
                f"[green]✔[/] {escape(step.title)}\n  [dim]{escape(detail)}[/]", highlight=False
            )
            progress.advance(task)
    return True
