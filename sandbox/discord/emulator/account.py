"""What an application asks about itself and its servers: login, commands, gateway address, servers."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.discord.emulator.forms import ensure_options
from sandbox.discord.emulator.places import APPLICATION_ID, BOT, OPERATOR_ID, Guild, Places, person
from sandbox.discord.emulator.refusals import MISSING_ACCESS, UNKNOWN_GUILD, Refusal, answer_with
from sandbox.discord.emulator.sessions import Sessions

MESSAGE_CONTENT_LIMITED = 1 << 19
REGISTERED = 8000  # the id of the first registered command


class Account:
    """Answers about the application. `message_content`: whether it may read what people write."""

    def __init__(self, places: Places, sessions: Sessions, gateway: Callable[[], str]) -> None:
        self._places = places
        self._sessions = sessions
        self._gateway = gateway
        self.message_content = False
        self.commands: list[dict[str, Any]] = []

    async def me(self, _: web.Request) -> web.Response:
        return answer_with(BOT)

    async def show_user(self, request: web.Request) -> web.Response:
        return answer_with(person(int(request.match_info["user"])))

    async def application(self, _: web.Request) -> web.Response:
        about = {
            "id": str(APPLICATION_ID),
            "name": "Studii",
            "description": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "",
            "owner": {**BOT, "id": str(OPERATOR_ID), "username": "operator", "bot": False},
            "flags": MESSAGE_CONTENT_LIMITED if self.message_content else 0,
        }
        return answer_with(about)

    async def gateway_address(self, _: web.Request) -> web.Response:
        rules = self._sessions.rules
        limits = {
            "total": rules.identifies,
            "remaining": max(0, rules.identifies - self._sessions.used),
            "reset_after": 0,
            "max_concurrency": rules.max_concurrency,
        }
        return answer_with({"url": self._gateway(), "shards": rules.shards, "session_start_limit": limits})

    async def put_commands(self, request: web.Request) -> web.Response:
        own = {"description": "", "application_id": str(APPLICATION_ID), "version": "1"}
        commands = await request.json()
        ensure_options(commands)
        self.commands = [
            {**own, **command, "id": str(REGISTERED + number)} for number, command in enumerate(commands)
        ]
        return answer_with(self.commands)

    async def guild_commands(self, request: web.Request) -> web.Response:
        if int(request.match_info["guild"]) not in self._places.guilds:
            raise Refusal(*MISSING_ACCESS)
        return await self.put_commands(request) if request.method == "PUT" else answer_with([])

    async def list_guilds(self, request: web.Request) -> web.Response:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 200))
        page = sorted(number for number in self._places.guilds if number > after)[: min(limit, 200)]
        told = [self._places.guilds[number] for number in page]
        return answer_with(
            [
                {"id": str(one.id), "name": one.name, "approximate_member_count": one.member_count}
                for one in told
            ]
        )

    async def show_guild(self, request: web.Request) -> web.Response:
        return answer_with(self._guild(request).told())

    async def show_member(self, request: web.Request) -> web.Response:
        return answer_with(self._guild(request).member(int(request.match_info["user"])))

    def _guild(self, request: web.Request) -> Guild:
        guild = self._places.guilds.get(int(request.match_info["guild"]))
        if guild is None:
            raise Refusal(*UNKNOWN_GUILD)
        return guild
