"""Settings as entries in a table, from which panels, forms and the words of changes are made.

    RESULTS = Topic("results", lazy("💬 Results"), load, [
        Setting("in_threads", lazy("Threads"), YesNo(), help=lazy("Post each result in a thread")),
        …
    ])

A topic is a panel. Each change is saved at the press, and the panel says what has changed, from what to what.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, cast

import discord
from discord import ui

from bot import posts
from bot.catalog import Catalog
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.errors import Refused
from bot.languages import Worded, and_list, gettext as _, lazy, quotation_marks, whole_number
from bot.servers import settings as server_settings
from bot.servers.notices import NoticeKind
from bot.ui.kit.answers import answer, answer_in_place, host_of, read_before_form, refusal_words
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    BAD,
    NEUTRAL,
    Panel,
    Piece,
    box,
    button_rows,
    lines,
    named_value,
    plain,
    row,
    small,
    some,
    text,
)
from bot.ui.panels.controls import BUTTON_OUTDATED, Press, admin, button, marked
from bot.ui.reading.permissions import ids_there, manages, server_of

MAX_COMPONENTS, MAX_CHARACTERS = 40, 4000  # of a message
MAX_CHOSEN, MAX_LABEL_CHARACTERS = 25, 100  # in a list
TURNING = 6  # components of a row of page buttons
ROOM_FOR_NEWS = 800  # characters for what has just changed, of those of a page
BESIDE_BUTTON = 120  # characters that are few lines beside a button on a phone
MAX_NEWS = 10  # changes of one press that are named
# For how long the log channel's message waits for others, and how long before its end it takes none.
TOGETHER, MOMENT = timedelta(seconds=30), timedelta(seconds=5)
Address = Annotated[str, r"[a-z]+(?:\.[a-z0-9_*-]{1,32})?"]  # of a panel: its topic, and its subject
Name = Annotated[str, "[a-z_]+"]
Value = Any  # as JSON holds it: None, bool, int, str, or a list or dict of these
CHANGED_BEFORE = lazy("Changed since you opened this: {names}.")
CHANGED = lazy("**{name}**: changed from {before} to {after}.")
SET = lazy("**{name}**: set to {after}.")
ADDED, REMOVED = lazy("**{name}**: {items} added."), lazy("**{name}**: {items} removed.")
ADDS, REMOVES = lazy("Add…"), lazy("Remove…")
OTHERS = "+"  # in place of an item's name
DOING = {True: lazy("Turn on"), False: lazy("Turn off")}
STATE = {True: lazy("on"), False: lazy("off")}
NOT_SET = "–"


@dataclass(frozen=True, slots=True)
class Scope:
    """The server, or the part of it (`key`), that a panel is about, and who looks at it or changes it."""

    guild_id: int
    user_id: int
    at: datetime
    catalog: Catalog
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """Everything that a panel is drawn from: the row as `Topic.load` read it, and the server in Discord.

    `let_in`: the panel's opener has no Manage Server. `start`: of the part that lists of items show. `seen`:
    what `Topic.look` returned.
    """

    row: Any
    interaction: discord.Interaction[Any]
    address: str
    let_in: bool
    start: int = 0
    seen: Any = None

    @property
    def guild(self) -> discord.Guild | None:
        return self.interaction.guild

    @property
    def catalog(self) -> Catalog:
        return host_of(self.interaction).catalog


class ValueKind:
    """A kind of values: its words, and the control that changes them, as it is none.

    With `several` a value is a list.
    """

    several: bool = False
    quoted: ClassVar[bool] = False  # the words of a value are several, within a sentence

    def words(self, _catalog: Catalog, value: Value) -> Worded:
        return NOT_SET if value is None else str(value)

    def changed(self, catalog: Catalog, title: Worded, before: Value, after: Value) -> Worded:
        """Return what has changed."""
        if self.several:
            come = [str(self.words(catalog, [one])) for one in after if one not in before]
            gone = [str(self.words(catalog, [one])) for one in before if one not in after]
            return _both(title, come, gone)
        both = {"before": self.words(catalog, before), "after": self.words(catalog, after)}
        if self.quoted:
            left, right = quotation_marks()
            both = {name: f"{left}{words}{right}" for name, words in both.items()}
        if both["after"] == NOT_SET:
            return REMOVED.using(name=title, items=both["before"])
        return (SET if before in (None, "") else CHANGED).using(name=title, **both)

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        """Return the line with its control."""
        return []

    def chosen(self, values: Any) -> Value:
        """Return the value that was chosen in a list, or the one in the form's fields. Raises `Refused`."""
        return values


class YesNo(ValueKind):
    """On or off."""

    def words(self, _catalog: Catalog, value: Value) -> Worded:
        return STATE[value]

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        # The button says what it sets, so that two presses do the same as one.
        turns = put.looking(label=DOING[not value])
        return _beside(line, turns.of(now.address, setting.name, "off" if value else "on"))

    def chosen(self, values: Any) -> Value:
        return values == ["on"]


@dataclass(frozen=True)
class OneOf(ValueKind):
    """One of these values, or with `several` some of them."""

    options: Callable[[Catalog], Mapping[str, Worded]]
    several: bool = False
    none: Worded = NOT_SET
    quoted = True

    def words(self, catalog: Catalog, value: Value) -> Worded:
        options = self.options(catalog)
        return and_list([str(options.get(one, one)) for one in self._some(value)]) or self.none

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        chosen, known = self._some(value), self.options(now.catalog)
        # Where there is no room for all, those that are chosen come first: others would be lost.
        shown = list(known) if len(known) <= MAX_CHOSEN else sorted(known, key=lambda one: one not in chosen)
        options = [
            discord.SelectOption(label=str(known[one]), value=one, default=one in chosen)
            for one in shown[:MAX_CHOSEN]
        ]
        least, most = (0, len(options)) if self.several else (1, 1)
        custom_id = pick.id(now.address, setting.name)
        control = ui.Select[Any](custom_id=custom_id, options=options, min_values=least, max_values=most)
        return [text(line), row(control)]

    def chosen(self, values: Any) -> Value:
        return sorted(values) if self.several else values[0]

    def _some(self, value: Value) -> list[str]:
        return value if self.several else [value]


@dataclass(frozen=True)
class Pick(ValueKind):
    """A role or a channel, or none; with `several` a list of them."""

    form: str  # of a mention
    control: Any
    none: Worded = NOT_SET
    several: bool = False

    def words(self, _catalog: Catalog, value: Value) -> Worded:
        return some([self.form.format(one) for one in self._ids(value)]) or self.none

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        # Discord refuses a list in which deleted ones are chosen, or too many.
        most = MAX_CHOSEN if self.several else 1
        chosen = [discord.Object(one) for one in self._known(now.interaction, value)[:most]]
        shown = self.control(
            custom_id=pick.id(now.address, setting.name),
            default_values=chosen,
            placeholder=str(self.none) if self.none != NOT_SET else None,
            min_values=0,
            max_values=most,
        )
        return [text(line), row(shown)]

    def chosen(self, values: Any) -> Value:
        ids = sorted(map(int, values))
        return ids if self.several else next(iter(ids), None)

    def without_room(self, interaction: discord.Interaction[Any], value: Value) -> list[int]:
        """Return those that the list had no room for, so that they can't be chosen there."""
        return self._known(interaction, value)[MAX_CHOSEN:]

    def _known(self, interaction: discord.Interaction[Any], value: Value) -> list[int]:
        there = ids_there(interaction)
        return [one for one in self._ids(value) if there is None or one in there]

    def _ids(self, value: Value) -> list[int]:
        return value if self.several else [] if value is None else [value]


a_role = partial(Pick, "<@&{}>", ui.RoleSelect)
a_channel = partial(
    Pick,
    "<#{}>",
    partial(
        ui.ChannelSelect,
        channel_types=[
            discord.ChannelType.text,
            discord.ChannelType.news,
            discord.ChannelType.public_thread,
            discord.ChannelType.private_thread,
        ],
    ),
)


@dataclass(frozen=True)
class Entered(ValueKind):
    """A value that is entered in a form of these fields. `read` makes it of what was entered."""

    fields: Callable[[Now, Value], list[ui.Item[Any]]]
    read: Callable[[Mapping[str, Any]], Value]
    said: Callable[[Value], Worded] = str

    def words(self, _catalog: Catalog, value: Value) -> Worded:
        return self.said(value)

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        return _beside(line, fill.of(now.address, setting.name))

    def chosen(self, values: Any) -> Value:
        return self.read(values)


def a_number(
    title: Worded, least: int, most: int, said: Callable[[int], Worded] = str, none: Worded | None = None
) -> Entered:
    """Return the kind of whole numbers within bounds, or with `none` nothing."""

    def fields(_now: Now, value: Value) -> list[ui.Item[Any]]:
        typed = ui.TextInput[Any](
            custom_id="value",
            default=None if value is None else str(value),
            required=none is None,
            max_length=12,
        )
        about = lazy("A whole number from {least} to {most}.", least=least, most=most)
        if none is not None:
            about = lazy(
                "A whole number from {least} to {most}; leave empty for: {none}",
                least=least,
                most=most,
                none=none,
            )
        return [labelled(title, typed, about)]

    def read(values: Mapping[str, Any]) -> Value:
        typed = str(values["value"] or "")
        return None if none is not None and not typed.strip() else number_in(typed, least, most)

    return Entered(fields, read, lambda value: none or NOT_SET if value is None else said(value))


def a_text(
    title: Worded,
    most: int,
    read: Callable[[Mapping[str, Any]], Value],
    said: Callable[[str], str] = str,
    none: Worded = NOT_SET,
) -> Entered:
    """Return the kind of texts of one line; an empty one is `none`. `said` words one as it is shown."""

    def fields(_now: Now, value: Value) -> list[ui.Item[Any]]:
        default = said(value) if value else None
        typed = ui.TextInput[Any](custom_id="value", default=default, required=False, max_length=most)
        return [labelled(title, typed)]

    def words(value: Value) -> Worded:
        before, after = quotation_marks()
        return f"{before}{plain(said(value), most)}{after}" if value else none

    return Entered(fields, read, words)


@dataclass(frozen=True)
class Items(ValueKind):
    """Things that are added in a form and removed in a list.

    The value has each by its name. `fields` are the form's; `add` makes an item of what is in them, and
    `remove` ends one. Both may return what is said then, in place of what has changed. `control` is a list
    to remove one with in place of one of all items, such as one of members.
    """

    fields: Callable[[Now, Value], list[ui.Item[Any]]]
    add: Callable[[Any, Scope, Mapping[str, Any]], "Said"]
    remove: Callable[[Any, Scope, str], "Said"]
    word: Callable[[Catalog, str, Any], str]  # an item, in a sentence
    label: Callable[[Now, str, Any], str] = lambda _now, one, _item: one  # the same in a list to choose from
    adds: Worded = ADDS
    removes: Worded = REMOVES
    control: Any = None

    def changed(self, catalog: Catalog, title: Worded, before: Value, after: Value) -> Worded:
        come = [self.word(catalog, one, item) for one, item in after.items() if one not in before]
        gone = [self.word(catalog, one, item) for one, item in before.items() if one not in after]
        new = [
            str(
                CHANGED.using(
                    name=title,
                    before=self.word(catalog, one, item),
                    after=self.word(catalog, one, after[one]),
                )
            )
            for one, item in before.items()
            if one in after
        ]
        return " ".join([_both(title, come, gone), *new]).strip()

    def pieces(self, setting: "Setting", line: str, now: Now, value: Value) -> list[Piece]:
        opens = fill.looking(label=self.adds).of(now.address, setting.name)
        shown = _beside(line, opens, most=0)
        if value and self.control:
            ended = drop.id(now.address, setting.name, 0)
            shown.append(row(self.control(custom_id=ended, placeholder=str(self.removes))))
        elif value:
            part = list(value.items())[now.start : now.start + MAX_CHOSEN - 1]
            options = [
                discord.SelectOption(label=self.label(now, *one)[:MAX_LABEL_CHARACTERS], value=one[0])
                for one in part
            ]
            following = now.start + len(part) if now.start + len(part) < len(value) else 0
            if len(value) > len(part):
                options.append(discord.SelectOption(label=_("Show others…"), value=OTHERS))
            ended = drop.id(now.address, setting.name, following)
            shown.append(row(ui.Select[Any](custom_id=ended, options=options, placeholder=str(self.removes))))
        return shown


@dataclass(frozen=True, slots=True)
class Also:
    """A warning that is said beside what has changed."""

    words: Worded


# Words that are said in place of what has changed, or what makes them once it is stored.
Said = Worded | Callable[[], str] | Also | None
Work = Callable[[Any, Scope], Said]  # a transaction


async def _nothing_seen(*_about: object) -> None: ...


@dataclass(frozen=True)
class Setting:
    """An entry. `read` and `write` are an attribute of the row and `Topic.assign`, unless they are given.

    `line` is what the panel says of it. `check` looks at what is chosen before anything is written.
    """

    name: str
    title: Worded
    kind: ValueKind
    help: Worded | Callable[[Now], Worded] = ""
    read: Callable[[Any], Value] | None = None
    write: Callable[[Any, Scope, Value], object] | None = None
    line: Callable[[Now], Worded] | None = None
    check: Callable[[discord.Interaction[Any], Value], Awaitable[None]] | None = None

    def value(self, row_: Any) -> Value:
        return self.read(row_) if self.read else getattr(row_, self.name)

    def words(self, now: Now) -> str:
        about = self.help(now) if callable(self.help) else self.help
        said = (
            self.line(now)
            if self.line
            else named_value(f"**{self.title}**", str(self.kind.words(now.catalog, self.value(now.row))))
        )
        return lines(said, small(about))

    def pieces(self, now: Now) -> list[Piece]:
        return self.kind.pieces(self, self.words(now), now, self.value(now.row))


@dataclass(frozen=True)
class Topic:
    """A panel: its settings, what is said above and below them, its other buttons, and where Back leads.

    `load` is a function of a session and a scope, and `assign` writes a value by its setting's name.
    `subject` words the part of the server that the panel is about. `look` finds out what neither the row nor
    the server as it is known says. `files` are those of its first page. `after` is awaited after each change.
    """

    name: str
    emoji: str
    title: Worded
    load: Callable[[Any, Scope], Any]
    settings: Sequence[Setting] = ()
    assign: Callable[[Any, Scope, str, Value], object] | None = None
    about: Callable[[Now], Iterable[Worded]] = lambda _now: ()
    steps: Callable[[Now], list[Piece]] = lambda _now: []  # above the settings
    notes: Callable[[Now], Iterable[Worded]] = lambda _now: ()
    links: Callable[[Now], list[Piece]] = lambda _now: []  # rows
    colour: Callable[[Now], discord.Colour] = lambda _now: NEUTRAL
    subject: Callable[[Catalog, str], str] = lambda _catalog, key: key
    look: Callable[[discord.Interaction[Any], Any], Awaitable[Any]] = _nothing_seen
    files: Callable[[Now], Sequence[discord.File]] = lambda _now: ()
    after: Callable[[discord.Interaction[Any], Any], Awaitable[Any]] = _nothing_seen
    back: str | None = None
    personal: bool = False  # of the person who looks at it

    def __post_init__(self) -> None:
        _topics[self.name] = self

    def setting(self, name: str) -> Setting:
        """Raises `Refused` if there is none: it may be another version's."""
        for one in self.settings:
            if one.name == name:
                return one
        raise Refused(BUTTON_OUTDATED)


_topics: dict[str, Topic] = {}


def change(session: Any, scope: Scope, name: str, value: Value) -> None:
    """Assign one of the server's settings: `Topic.assign` where settings are these."""
    server_settings.change(session, scope.guild_id, **{name: value})


Change = tuple[str, Value, Value]  # a setting's name, and its values before and after


def change_words(topic: str, key: str | None, changes: Iterable[Change], catalog: Catalog) -> list[str]:
    """Return what has changed, in the language that is spoken now."""
    its = _topics.get(topic)
    if its is None:
        return []
    known = {one.name: one for one in its.settings}
    said = [
        str(known[name].kind.changed(catalog, known[name].title, before, after))
        for name, before, after in changes
        if name in known  # it may be another version's
    ]
    return [f"{its.subject(catalog, key)} · {one}" if key else one for one in said]


def _saved(session: Any, scope: Scope, topic: Topic, work: Work) -> tuple[Any, Said, list[Change]]:
    """Do the work, and let the log channel know. Return the row as it is then, what is said, the changes."""
    before = _values(topic, topic.load(session, scope))
    said = work(session, scope)
    session.flush()
    row_ = topic.load(session, scope)
    return row_, said, note_changes(session, scope, topic, before, _values(topic, row_))


def note_changes(
    session: Any, scope: Scope, topic: Topic, before: Mapping[str, Value], now: Mapping[str, Value]
) -> list[Change]:
    """Let the log channel know which values of the topic's settings have changed, and return these.

    What one person changes in one panel within moments is one message.
    """
    changes = [
        (one.name, *_differing(one.kind, before.get(one.name), now.get(one.name)))
        for one in topic.settings
        if now.get(one.name) != before.get(one.name)
    ]
    if changes and not topic.personal:
        told: dict[str, Any] = {"user": scope.user_id, "topic": topic.name, "key": scope.key}
        for post in posts.waiting_until(session, scope.guild_id, NoticeKind.CHANGED, scope.at + MOMENT):
            so_far = json.loads(post.details["changes"])
            if told.items() <= post.details.items() and len(so_far) < MAX_NEWS:
                post.details = told | {"changes": json.dumps([*so_far, *changes], ensure_ascii=False)}
                return changes
        told["changes"] = json.dumps(changes, ensure_ascii=False)
        # Begins with the member, by whom it can be erased.
        unique, due_at = f"{scope.user_id}:{secrets.token_hex(8)}", scope.at + TOGETHER
        about = scope.guild_id, NoticeKind.CHANGED, unique
        posts.want(session, *about, at=scope.at, due_at=due_at, details=told)
    return changes


def assigning(topic: Topic, setting: Setting, value: Value, interaction: discord.Interaction[Any]) -> Work:
    """Return what gives the setting this value. What its list had no room for stays."""

    def work(session: Any, scope: Scope) -> Also | None:
        made, new = None, value
        if isinstance(setting.kind, Pick) and setting.kind.several:
            held = setting.value(topic.load(session, scope))
            new = sorted({*value, *setting.kind.without_room(interaction, held)})
        if setting.write:
            made = setting.write(session, scope, new)
        elif topic.assign:
            topic.assign(session, scope, setting.name, new)
        return made if isinstance(made, Also) else None

    return work


def panel(
    topic: Topic,
    now: Now,
    page: int = 0,
    said: Sequence[Worded] = (),
    *,
    changed: str = "",
    refused: bool = False,
) -> Panel:
    """Return a page of the panel. What has just happened is said where the person looks: below the setting
    that was `changed`, or at the end, beside the buttons."""
    about = lines(*topic.about(now))
    notes = lines(*(small(one) for one in topic.notes(now)))
    links = topic.links(now)
    if topic.back is not None:
        links.append(row(backs(topic.back)))
    title = _heading(topic)
    room = _cost([box(NEUTRAL, title, "news", about, ui.Separator(), notes), *links])
    blocks = [one.pieces(now) for one in topic.settings]
    pages = _pages([topic.steps(now), *blocks], room)
    if len(pages) > 1:
        pages = _pages([topic.steps(now), *blocks], (room[0] + TURNING, room[1]))
    page = min(page, len(pages) - 1)
    turns = [show.looking(label=str(n + 1), disabled=n == page).of(now.address, n) for n in range(len(pages))]
    rows = [*links, *(button_rows(turns) if len(pages) > 1 else [])]
    shown: list[Piece | Worded] = [title, about, *pages[page], *([ui.Separator(), notes] if notes else [])]
    above = [block[-1] for one, block in zip(topic.settings, blocks, strict=True) if one.name == changed]
    place = shown.index(above[0]) + 1 if above and above[0] in shown else len(shown)
    shown.insert(place, lines(*said))
    return marked(Panel(box(BAD if refused else topic.colour(now), *shown), *rows), let_in=now.let_in)


def _pages(blocks: Sequence[Sequence[Piece]], room: tuple[int, int]) -> list[list[Piece]]:
    """Return the blocks in as many parts as messages need that have this much beside them."""
    pages: list[list[Piece]] = [[]]
    for block in blocks:
        components, characters = _cost([*pages[-1], *block])
        full = room[0] + components > MAX_COMPONENTS or room[1] + characters > MAX_CHARACTERS - ROOM_FOR_NEWS
        if pages[-1] and full:
            pages.append([])
        pages[-1] += block
    return pages


def opens(topic: Topic, **look: Any) -> ui.Button[Any]:
    """Return the button that shows another topic in place of this one."""
    return show.looking(label=topic.title, emoji=topic.emoji, **look).of(topic.name, 0)


def backs(to: str) -> ui.Button[Any]:
    """Return the button that leads back to that topic."""
    return show.looking(label=lazy("Back")).of(to, 0)


async def open_panel(interaction: discord.Interaction[Any], at: str, work: Work | None = None) -> None:
    """Show a panel to the person alone, after the work if there is any. Raises `Refused`."""
    topic = _topic(at)
    let_in = not topic.personal and not manages(interaction)
    if work is None:
        now, news = await _now(interaction, at, let_in=let_in), []
    else:
        now, news = await _done(interaction, at, work, let_in=let_in)
    await answer(interaction, panel(topic, now, said=news), topic.files(now))


def may_use(press: Press, at: str, **_arguments: object) -> None:
    """Let anyone use a panel of their own settings, and only admins the others."""
    if not _topic(at).personal:
        admin(press)


@button("page:{at}:{page}", who=may_use)
async def show(press: Press, at: Address, page: int) -> None:
    """Show a page, in place of the one that is shown."""
    await turn_to(press, at, page)


async def turn_to(
    press: Press, at: str, page: int = 0, *, start: int = 0, said: Sequence[Worded] = ()
) -> None:
    """Show a panel's page in place of what is shown, and of long lists the part that begins at `start`.

    In place of a message that others see, it is shown to the person alone.
    """
    message = press.interaction.message
    now = replace(await _now(press.interaction, at, let_in=press.let_in), start=start)
    topic = _topic(at)
    shown, files = panel(topic, now, page, said), topic.files(now) if page == 0 else ()
    if message is not None and not message.flags.ephemeral:
        await answer(press.interaction, shown, files)
    else:
        await answer_in_place(press.interaction, shown, files)


@button("put:{at}:{name}:{value}", who=may_use)
async def put(press: Press, at: Address, name: Name, value: str) -> None:
    """Assign a setting the value of the button."""
    await _assign(press, at, name, [value])


@button("pick:{at}:{name}", who=may_use)
async def pick(press: Press, at: Address, name: Name) -> None:
    """Assign a setting what was chosen."""
    await _assign(press, at, name, press.values)


@button("drop:{at}:{name}:{following}", who=may_use)
async def drop(press: Press, at: Address, name: Name, following: int) -> None:
    """Remove what was chosen from a list of items, or show the following ones of a long list."""
    kind, chosen = cast(Items, _topic(at).setting(name).kind), press.values[0]
    if chosen == OTHERS:
        await turn_to(press, at, page_of(press.interaction.message), start=following)
    else:
        await update(press, at, lambda session, scope: kind.remove(session, scope, chosen), name)


@button("fill:{at}:{name}", label=lazy("Change…"), who=may_use)
async def fill(press: Press, at: Address, name: Name) -> None:
    """Show the form of a setting."""
    topic, setting = _topic(at), _topic(at).setting(name)
    reading = press.host.resources.db.read(topic.load, _scope(press.interaction, at))
    row_ = await read_before_form(press.interaction, reading)
    now = Now(row_, press.interaction, at, press.let_in)
    await press.ask(setting.title, *cast(Any, setting.kind).fields(now, setting.value(row_)))


@fill.submitted
async def filled(press: Press, at: Address, name: Name) -> None:
    """Take what was entered in the form."""
    kind, values = _topic(at).setting(name).kind, press.values
    if isinstance(kind, Items):
        await update(press, at, lambda session, scope: kind.add(session, scope, values), name)
    else:
        await _assign(press, at, name, values)


async def _assign(press: Press, at: str, name: str, values: Any) -> None:
    topic, setting = _topic(at), _topic(at).setting(name)
    try:
        value = setting.kind.chosen(values)
        if setting.check:
            await setting.check(press.interaction, value)
    except Refused as refusal:
        await update(press, at, partial(_refuse, refusal), name)
    else:
        work = assigning(topic, setting, value, press.interaction)
        await update(press, at, work, name)


async def update(press: Press, at: str, work: Work, name: str = "") -> None:
    """Do the work, which is about the setting of that name if there is one, and show the panel as it is then,
    also after a refusal: its lists show what holds."""
    interaction, topic = press.interaction, _topic(at)
    before = await _now(interaction, at, let_in=press.let_in)
    page, refused = page_of(interaction.message), False
    try:
        now, news = await _done(interaction, at, work, let_in=press.let_in)
    except Refused as refusal:
        now, refused, news = before, True, [f"❌ {refusal_words(refusal)}"]
    news.append(_changed_since(topic, before, interaction.message, page))
    shown, files = panel(topic, now, page, news, changed=name, refused=refused), topic.files(now)
    await answer_in_place(interaction, shown, files if page == 0 else ())


async def _now(interaction: discord.Interaction[Any], at: str, *, let_in: bool) -> Now:
    row_ = await host_of(interaction).resources.db.read(_topic(at).load, _scope(interaction, at))
    return Now(row_, interaction, at, let_in, seen=await _topic(at).look(interaction, row_))


async def _done(
    interaction: discord.Interaction[Any], at: str, work: Work, *, let_in: bool
) -> tuple[Now, list[str]]:
    """Do the work. Return what the panel is drawn from then, and what has changed. Raises `Refused`."""
    topic, scope, db = _topic(at), _scope(interaction, at), host_of(interaction).resources.db
    row_, said, changes = await db.write(_saved, scope, topic, work, within=COMMAND_WRITE_TIMEOUT)
    await topic.after(interaction, row_)
    now = Now(row_, interaction, at, let_in, seen=await topic.look(interaction, row_))
    if said is None or isinstance(said, Also):
        own = change_words(topic.name, scope.key, changes, scope.catalog)
    else:
        own = [said() if callable(said) else str(said)]
    news = [f"✅ {one}" for one in own[:MAX_NEWS]]
    return now, [*news, f"⚠️ {said.words}"] if isinstance(said, Also) else news


def page_of(message: discord.Message | None) -> int:
    """Return the page that a message shows: the disabled one of its page buttons."""
    walked = () if message is None else ui.LayoutView.from_message(message).walk_children()
    disabled = [one for one in walked if isinstance(one, ui.Button) and one.disabled]
    return int(disabled[0].label or 1) - 1 if disabled else 0


def number_in(typed: str, least: int, most: int) -> int:
    """Return the number that was typed. Raises `Refused` unless it is a whole one within the bounds."""
    number = whole_number(typed)
    if number is None or not least <= number <= most:
        raise Refused(
            lazy("Enter a whole number from {least} to {most}. Nothing was changed.", least=least, most=most)
        )
    return number


def _refuse(refusal: Refused, _session: Any, _scope: Scope) -> None:
    raise refusal


def _changed_since(topic: Topic, now: Now, message: discord.Message | None, page: int) -> str:
    """Return which settings have been changed since the message was shown: its texts say what held then."""
    shown = _texts([] if message is None else ui.LayoutView.from_message(message).children)
    new = _texts(panel(topic, now, page).children) - shown
    names = [str(one.title) for one in topic.settings if new & _texts(one.pieces(now))]
    # Of another panel, or one in another language, nothing follows.
    alike = _heading(topic) in shown
    return f"🔁 {CHANGED_BEFORE.using(names=and_list(names))}" if names and alike else ""


def _heading(topic: Topic) -> str:
    return f"### {topic.emoji} {topic.title}"


def _beside(said: str, control: ui.Button[Any], most: int = BESIDE_BUTTON) -> list[Piece]:
    """Return the button beside what is said, or beside its first line if that is much: a phone is narrow."""
    # Half of both is the width: a Japanese letter is as wide as two others, and takes three bytes.
    width = (len(said) + len(said.encode())) // 2
    head, _break, below = said.partition("\n") if width > most else (said, "", "")
    return [ui.Section(text(head), accessory=control), *([text(below)] if below else [])]


def _every(pieces: Iterable[Piece]) -> list[Piece]:
    return [one for piece in pieces for one in (piece, *getattr(piece, "walk_children", tuple)())]


def _texts(pieces: Iterable[Piece]) -> set[str]:
    return {one.content for one in _every(pieces) if isinstance(one, ui.TextDisplay)}


def _cost(pieces: Iterable[Piece]) -> tuple[int, int]:
    """Return how many components and characters the pieces take of those that a message can have."""
    every = _every(pieces)
    return len(every), sum(len(one.content) for one in every if isinstance(one, ui.TextDisplay))


def _differing(kind: ValueKind, before: Value, after: Value) -> tuple[Value, Value]:
    """Return both, of items only those that differ."""
    if not isinstance(kind, Items):
        return before, after
    old, new = cast(dict[str, Value], before), cast(dict[str, Value], after)
    return (
        {one: item for one, item in old.items() if new.get(one) != item},
        {one: item for one, item in new.items() if old.get(one) != item},
    )


def _both(title: Worded, come: Sequence[str], gone: Sequence[str]) -> str:
    both = (ADDED, come), (REMOVED, gone)
    return " ".join(str(said.using(name=title, items=and_list(items))) for said, items in both if items)


def _values(topic: Topic, row_: Any) -> dict[str, Value]:
    return {one.name: one.value(row_) for one in topic.settings}


def _topic(at: str) -> Topic:
    return _topics[at.split(".")[0]]


def _scope(interaction: discord.Interaction[Any], at: str) -> Scope:
    host = host_of(interaction)
    key = at.partition(".")[2] or None
    return Scope(server_of(interaction), interaction.user.id, host.clock.now(), host.catalog, key)
