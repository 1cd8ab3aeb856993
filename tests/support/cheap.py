"""What tests pay once in a pytest process instead of in each test, and what they do more quickly.

Drawings of the sandbox, the bot's extensions, its commands in all languages, compiled statements and new
databases are shared; what Discord is sent is copied as the JSON that it is; files are in memory.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import simcord.components
import simcord.gateway
import simcord.http.router
import simcord.results
from discord import app_commands
from discord.ext import commands
from hypothesis.internal.conjecture import providers
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from bot import languages, migrate
from bot.client import commands as registration
from sandbox.studii import Output, outputs

LOOKS_EVERY = 0.005  # seconds
ROOM = 6 << 30  # bytes; what all workers write takes less than half of it
_MEMORY = Path("/dev/shm")  # noqa: S108


def files_in_memory() -> None:
    """Let temporary files of this process and of those it starts be in memory, unless `TMPDIR` is set."""
    place = place_in_memory()
    if place is not None and os.name == "posix" and not os.statvfs(place).f_flag & os.ST_NOEXEC:
        os.environ.setdefault("TMPDIR", str(place))
        tempfile.__dict__["tempdir"] = None  # found anew


def place_in_memory() -> Path | None:
    """Return a folder in memory with room for tests, or None if there is none."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < ROOM:
        return None
    return _MEMORY


def settle_quickly() -> None:
    """Let simcord look after 5 ms, instead of 50, whether what the bot waits for has come."""
    vars(simcord.Env)["_settle_internal"].__kwdefaults__["idle"] = LOOKS_EVERY
    vars(simcord.Env)["settle"].__defaults__ = (None, LOOKS_EVERY)


def copy_quickly() -> None:
    """Let simcord copy JSON as what it is."""
    for module in (simcord.components, simcord.results):
        vars(module)["deepcopy"] = _copied
    for module in (simcord.gateway, simcord.http.router):
        vars(module)["copy"] = SimpleNamespace(deepcopy=_copied)


def _copied(value: Any) -> Any:
    return _HOW.get(type(value), deepcopy)(value)


_HOW: dict[Any, Callable[[Any], Any]] = {
    dict: lambda value: {name: _copied(one) for name, one in value.items()},
    list: lambda value: [_copied(one) for one in value],
    str: str,
    int: int,
}


_COMMENT, _FREE = b"\xff\xfe", b"free"
_drawn: dict[tuple[object, ...], Output] = {}


def share_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's Studii hand out what others have drawn, if it is the same but for its seed."""
    draw = outputs.render

    def share(request: Any, source: bytes | None, seed: int, long_side: int) -> Output:
        key = (request.tool, request.kind, request.inputs.get("aspect_ratio"), source, long_side)
        if key not in _drawn:
            _drawn[key] = draw(request, source, seed, long_side)
        return _with_seed(_drawn[key], b"%d" % seed)

    monkeypatch.setattr(outputs, "render", share)


def _with_seed(output: Output, seed: bytes) -> Output:
    data = output.data
    if output.content_type == "video/mp4":
        return replace(output, data=data + (8 + len(seed)).to_bytes(4) + _FREE + seed)
    # Behind the first segment of a JPEG, which says that it is one.
    begun = 4 + int.from_bytes(data[4:6])
    comment = _COMMENT + (2 + len(seed)).to_bytes(2) + seed
    return replace(output, data=data[:begun] + comment + data[begun:])


_loaded: dict[str, ModuleType] = {}
_LOAD, _FORGET, _KEPT = "_load_from_module_spec", "_call_module_finalizers", "_BotBase__extensions"


def share_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots have the extensions that other tests' bots have loaded."""
    load: Any = getattr(commands.AutoShardedBot, _LOAD)

    async def share(self: Any, spec: ModuleSpec, key: str) -> None:
        known = _loaded.get(key)
        if known is None:
            await load(self, spec, key)
            _loaded[key] = sys.modules[key]
            return
        sys.modules[key] = known
        await known.setup(self)
        getattr(self, _KEPT)[key] = known

    async def keep(self: Any, _module: ModuleType, key: str) -> None:
        # Past discord.py's search for modules inside of it, among all that are loaded.
        del getattr(self, _KEPT)[key], sys.modules[key]

    monkeypatch.setattr(commands.AutoShardedBot, _LOAD, share)
    monkeypatch.setattr(commands.AutoShardedBot, _FORGET, keep)


_HTTP, _STATE = "_http", "_state"
_known: dict[tuple[str, ...], list[dict[str, Any]]] = {}


def share_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots register what other tests' bots have translated, if it is the same."""
    translate = registration.translated_payload

    async def share(tree: app_commands.CommandTree[Any], guild: Any = None) -> list[dict[str, Any]]:
        commands = json.dumps([one.to_dict(tree) for one in tree.get_commands(guild=guild)])
        spoken = f"{languages.translations_of.__module__}.{languages.translations_of.__qualname__}"
        tools = repr(tree.client.catalog.tools)  # with what they are called in each language
        key = (commands, tools, spoken)
        if key not in _known:
            _known[key] = await translate(tree, guild)
        return _known[key]

    send: Any = app_commands.CommandTree.sync

    async def sync(tree: Any, *, guild: Any = None) -> list[app_commands.AppCommand]:
        """Send what was translated for its digest already."""
        if guild is not None:
            return await send(tree, guild=guild)
        sent = await getattr(tree, _HTTP).bulk_upsert_global_commands(
            tree.client.application_id, payload=await share(tree)
        )
        return [app_commands.AppCommand(data=one, state=getattr(tree, _STATE)) for one in sent]

    monkeypatch.setattr(registration, "translated_payload", share)
    monkeypatch.setattr(app_commands.CommandTree, "sync", sync)


_compiled = LRUCache[Any, Any](5000)


def share_statements() -> None:
    """Let engines have what others of their dialect have compiled: all are made with the same options."""

    def keep(_: object, __: object) -> None: ...

    setattr(Engine, "_compiled_cache", property(lambda _: _compiled, keep))  # noqa: B010
    for kind in (PGDialect_asyncpg, SQLiteDialect_aiosqlite, SQLiteDialect_pysqlite):
        setattr(kind, "__eq__", _are_alike)  # noqa: B010
        setattr(kind, "__hash__", _hash_of_kind)  # noqa: B010


def _are_alike(one: object, other: object) -> bool:
    return type(one) is type(other)


def _hash_of_kind(one: object) -> int:
    return hash(type(one))


def choose_without_local_constants() -> None:
    """Leave it with the constants that it brings itself."""
    none = providers.__dict__["_local_constants"]
    providers.__dict__["_get_local_constants"] = lambda: none


_UPGRADE = "_upgrade"
_TABLES = "SELECT count(*) FROM sqlite_master"


def share_upgrades(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new databases get their tables from the first of them. Any other upgrade is made as ever."""
    upgrade: Any = getattr(migrate, _UPGRADE)
    shipped = migrate.SCRIPTS
    made: list[sqlite3.Connection] = []  # in memory

    async def share(connection: Any, revision: str, path: Path | None) -> None:
        usual = revision == migrate.HEAD and shipped == migrate.SCRIPTS
        if path is None or not usual or (await connection.exec_driver_sql(_TABLES)).scalar_one():
            await upgrade(connection, revision, path)
        elif made:
            await connection.rollback()
            await asyncio.to_thread(_copy, made[0], path)
        else:
            await upgrade(connection, revision, path)
            made.append(await asyncio.to_thread(_read, path))

    monkeypatch.setattr(migrate, _UPGRADE, share)


def _copy(made: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        made.backup(database)


def _read(path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(path)) as database:
        database.backup(made)
    return made
