"""What is sent and found over HTTP, and after a restart."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from aiohttp import web
from discord.http import Route

from bot import posts
from bot.catalog import Catalog
from bot.delivery import DiscordDelivery
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from bot.posts import NotHere, Post, Stands
from bot.servers.notices import NoticeKind
from tests.delivery.finished import MESSAGES
from tests.support.clock import NOON
from tests.support.desk import Desk, make_bot
from tests.support.jobs import staging
from tests.support.posts import Posted, deliver, open_posts, tell_end
from tests.support.simulated import delivery_on

BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20_000
USER = {"id": "7", "username": "studii", "discriminator": "0", "global_name": None, "avatar": None}
DONE = staging(state=JobState.SUCCEEDED, finished_at=NOON, settled=8, reserved=0)


def _json(value: Any) -> web.Response:
    # Without a charset, as Discord answers: discord.py compares the whole header.
    return web.Response(body=json.dumps(value).encode(), content_type="application/json")


class Recorder:
    """The few calls that delivery makes, answered as Discord does, and kept."""

    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], dict[str, bytes]]] = []
        self.edited: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=20_000_000)
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_post("/channels/200/messages", self._send)
        app.router.add_patch("/channels/200/messages/500", self._edit)
        return app

    async def _me(self, _: web.Request) -> web.Response:
        return _json(USER)

    async def _application(self, _: web.Request) -> web.Response:
        flags: dict[str, Any] = {"bot_public": True, "bot_require_code_grant": False, "verify_key": ""}
        return _json(
            {"id": "9", "name": "a", "description": "", "icon": None, "owner": USER, "flags": 0} | flags
        )

    async def _send(self, request: web.Request) -> web.Response:
        files: dict[str, bytes] = {}
        payload: dict[str, Any] = {}
        if request.content_type == "application/json":
            payload = await request.json()
        else:
            form = await request.post()
            payload = json.loads(str(form["payload_json"]))
            for field in form.values():
                if isinstance(field, web.FileField):
                    files[field.filename] = field.file.read()
        self.sent.append((payload, files))
        return _json(self._message("600"))

    async def _edit(self, request: web.Request) -> web.Response:
        self.edited.append(await request.json())
        return _json(self._message("500"))

    @staticmethod
    def _message(message_id: str) -> dict[str, Any]:
        empty: dict[str, Any] = {name: [] for name in ("embeds", "attachments", "mentions", "mention_roles")}
        told = {"id": message_id, "channel_id": "200", "author": USER, "content": "", "type": 0}
        times = {"timestamp": "2026-01-01T12:00:00+00:00", "edited_timestamp": None}
        return empty | told | times | {"tts": False, "mention_everyone": False, "pinned": False}


@asynccontextmanager
async def logged_in(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[DiscordDelivery, Recorder]]:
    recorder = Recorder()
    runner = web.AppRunner(recorder.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login("of.no.use")
            yield delivery_on(client, Catalog.load()), recorder
    finally:
        await runner.cleanup()


async def test_the_file_the_nonce_and_the_reply_are_what_discord_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out"
    file.write_bytes(BYTES)
    assert DONE.source is not None
    job = replace(DONE, source=replace(DONE.source, message_id=400, channel_id=DONE.channel_id))
    async with logged_in(monkeypatch) as (delivery, recorder):
        outcome = await tell_end(delivery, job, OutputFile(file, "image", "image/png", len(BYTES)))
    assert outcome == Posted(600)
    ((payload, files),) = recorder.sent
    (name,) = files
    assert files[name] == BYTES
    assert [part["media"]["url"] for top in payload["components"] for part in top.get("items", ())] == [
        f"attachment://{name}"
    ]
    assert (payload["nonce"], payload["enforce_nonce"]) == (DONE.nonce, True)
    assert payload["message_reference"]["message_id"] == 400
    assert payload["message_reference"]["fail_if_not_exists"] is False
    assert payload["allowed_mentions"] == {"parse": [], "users": [300], "roles": []}
    assert payload["flags"] & discord.MessageFlags(components_v2=True).value
    assert payload.get("content") is None
    assert not payload.get("embeds")


RUNNING = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)


async def restarted(desk: Desk) -> DiscordDelivery:
    desk.clock.advance(1)
    bot, delivery = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    return delivery


async def lost(desk: Desk, **options: Any) -> tuple[Job, DiscordDelivery]:
    """A job, in a life that has never heard of what was posted of it."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", **options)
    return await desk.job(), await restarted(desk)


async def test_a_result_is_found_that_was_posted_in_an_earlier_life(desk: Desk) -> None:
    job, delivery = await lost(desk)
    given = {"finished_at": desk.clock.now(), "output_url": "https://files.example/out.png"}
    job = await desk.move(job, *RUNNING, JobState.SUCCEEDED, **given)
    told = await tell_end(delivery, job, None)
    count = len(desk.channel.history())
    desk.clock.advance(3600)  # longer than Discord remembers a nonce
    assert await tell_end(await restarted(desk), job, None) == told
    assert len(desk.channel.history()) == count


async def told(desk: Desk) -> Post:
    await desk.db.write(
        posts.want,
        desk.guild.id,
        NoticeKind.OUT_OF_CREDITS,
        "1",
        at=desk.clock.now(),
        job_id=None,
        details={},
    )
    return (await desk.db.write(open_posts))[-1]


async def test_a_closed_channel_and_closed_dms_are_no_place_for_notices(desk: Desk) -> None:
    notice = await told(desk)
    kinds: list[type] = []
    for channel_id in (desk.channel.id, None):
        desk.env.inject_error("POST", MESSAGES, status=403, code=50001, times=1)
        kinds.append(type(await deliver(desk, notice, channel_id, None)))
    assert kinds == [NotHere, NotHere]


@pytest.mark.parametrize("kind", ["best", "hourglass", "result"])
async def test_a_message_that_is_no_notice_keeps_what_it_shows(desk: Desk, kind: str) -> None:
    post = Post(desk.guild.id, kind, "5", NOON, NOON, f"c{desk.channel.id}", message_id=7)
    assert await desk.delivery.edit(post, None) == Stands(7)
