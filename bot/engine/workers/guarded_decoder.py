"""Decodes files from outside so that none of them can end the bot again and again."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from bot.aio.shield import shielded
from bot.clock import Clock
from bot.domain import DecodeRecord, FileRole
from bot.engine.workers.decode_attempts import DecodeEnd, after_death, begun, ended, given_up
from bot.errors import ReasonedError, StudiiBotError
from bot.media.photo import DecoderFailed, Drawing, Photo, PhotoRefused, PictureBroken
from bot.reasons import ReasonCode
from bot.storage import Storage, Transaction

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

# Seconds that the process must have lived before a file that ended an earlier one is tried again.
MIN_UPTIME_SECONDS = 10.0
_FIRST = begun(DecodeRecord(), alone=False)


class Undecodable(ReasonedError):
    """The decoder died on the file as often as it may: it is not opened any more."""

    code = ReasonCode.PHOTO_UNDECODABLE


class DecodeAgain(StudiiBotError):
    """The decoder died on the file, for the first time: it may be opened once more, when nobody waits."""

    default = "This picture crashed the program that opens pictures."  # Untranslated: the engine takes it


class _MustBeAlone(Exception):
    def __init__(self, counted: int) -> None:
        super().__init__("nothing else may be open meanwhile")
        self.counted = counted


class Decoder(Drawing, Protocol):
    """An opener of pictures. Each method raises `DecoderFailed` if the decoder died or ran into a bound."""

    async def inspect(self, path: Path) -> Photo: ...
    async def check(self, path: Path) -> None: ...


class GuardedDecoder:
    """Writes each attempt down before it begins, and gives up files that ended two (see `decode_attempts`).

    The files are named by the spool: the job's id, then what the file is to the job.
    """

    def __init__(
        self, storage: Storage, decoder: Decoder, clock: Clock, *, quiet: float = MIN_UPTIME_SECONDS
    ) -> None:
        self._storage = storage
        self._decoder = decoder
        self._clock = clock
        self._quiet = quiet
        self._since = clock.monotonic()
        self._gate = AloneGate()

    async def inspect(self, path: Path) -> Photo:
        """Decode a photo (see `DecoderPool.inspect`).

        Raises `PhotoRefused`, `DecodeAgain` and `Undecodable`.
        """
        return await self._guarded(path, lambda: self._decoder.inspect(path), at_once=False)

    async def check(self, path: Path) -> None:
        """Decode a result. Raises `PictureBroken` and `Undecodable`.

        The record of a first attempt that finds it whole stays: the caller removes it in the transaction that
        stores what follows (`Decodes.forget_attempt`). If that does not happen, the next attempt takes it.
        """
        await self._guarded(path, lambda: self._decoder.check(path), leaves_record=True)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        """Return the picture as a JPEG of at most `limit` bytes, or None if there is no way to that."""
        return await self._made(path, lambda: self._decoder.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        """Return a copy with words in a corner, or None (see `DecoderPool.label`)."""
        return await self._made(path, lambda: self._decoder.label(path, limit, words, corner))

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        """Return one picture of both halves, or None (see `DecoderPool.split`)."""
        return await self._made(after, lambda: self._decoder.split(before, after, limit, labels))

    async def _made(self, path: Path, make: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        try:
            return await self._guarded(path, make)
        except Undecodable:
            return None

    async def _guarded(
        self,
        path: Path,
        decode: Callable[[], Awaitable[_T]],
        *,
        at_once: bool = True,
        leaves_record: bool = False,
    ) -> _T:
        """Decode. `at_once` says that the next attempt is made here if the decoder dies.

        With `leaves_record`, that of a first attempt that went well is left to the caller.
        """
        file = _file_of(path)
        alone = False
        while True:
            try:
                async with self._attempt(file, alone=alone, leaves_record=leaves_record):
                    return await decode()
            except _MustBeAlone as suspect:
                alone = True
                await asyncio.sleep(self._until_quiet() if suspect.counted else 0.0)
            except DecoderFailed:
                _log.warning("Job %s: a decoder died on its %s", *file)
                if not at_once and not await self._is_given_up(file):
                    raise DecodeAgain from None

    async def _is_given_up(self, file: tuple[str, FileRole]) -> bool:
        async with self._storage.read() as transaction:
            return given_up(await transaction.decodes.get(*file))

    def _until_quiet(self) -> float:
        """Return the seconds until the process has lived long enough that nothing else seems to keep ending
        it."""
        return self._quiet - (self._clock.monotonic() - self._since)

    @asynccontextmanager
    async def _attempt(
        self, file: tuple[str, FileRole], *, alone: bool, leaves_record: bool
    ) -> AsyncGenerator[None]:
        """Make an attempt. Raises `Undecodable` if the file is given up, and `_MustBeAlone`."""
        async with self._gate.enter(alone=alone):
            end = DecodeEnd.TAKEN_BACK
            record: DecodeRecord | None = None
            stays = False
            try:
                record = await shielded(self._begin(file, alone=alone))
                yield
                end = DecodeEnd.VERDICT
                stays = leaves_record and record == _FIRST
            except (PhotoRefused, PictureBroken):
                end = DecodeEnd.VERDICT
                raise
            except DecoderFailed:
                end = DecodeEnd.DECODER_DIED
                raise
            finally:
                if not stays:
                    await shielded(self._end(file, end, record))

    async def _begin(self, file: tuple[str, FileRole], *, alone: bool) -> DecodeRecord:
        first = begun(DecodeRecord(), alone=alone)
        async with self._storage.write() as transaction:
            if await transaction.decodes.put_new(*file, first):
                return first
            record = await transaction.decodes.get(*file)
            if given_up(record):
                raise Undecodable
            if record.suspect and not alone:
                raise _MustBeAlone(record.counted)
            again = begun(record, alone=alone)
            await transaction.decodes.put(*file, again)
        return again

    async def _end(self, file: tuple[str, FileRole], how: DecodeEnd, record: DecodeRecord | None) -> None:
        """End the attempt.

        `record` is what is stored of it. None if that is unknown, as after a cancellation.
        """
        async with self._storage.write() as transaction:
            if record is None:
                record = await transaction.decodes.get(*file)
            if not record.in_progress:
                return  # it could not begin
            after = ended(record, how)
            if after is None:
                await transaction.decodes.forget(*file)
            else:
                await transaction.decodes.put(*file, after)


async def recover_attempts(transaction: Transaction, is_new: Callable[[int], bool]) -> None:
    """Try alone what was being decoded when the last process died. Call it once for the servers that `is_new`
    accepts, before anything of theirs is decoded."""
    for job_id, role, record, guild_id in await transaction.decodes.in_progress():
        if not is_new(guild_id):
            continue
        after = after_death(record)
        await transaction.decodes.put(job_id, role, after)
        _log.warning(
            "Job %s: its %s was being decoded when the bot died; it has %d failed attempts",
            job_id,
            role,
            after.counted,
        )


class AloneGate:
    """Lets many in together, or one alone, who goes before those that have not entered yet."""

    def __init__(self) -> None:
        self._inside = 0
        self._alone = 0  # those who want to be alone, inside or not
        self._left = asyncio.Event()

    @asynccontextmanager
    async def enter(self, *, alone: bool) -> AsyncGenerator[None]:
        self._alone += alone
        try:
            while self._inside if alone else self._alone:
                await self._left.wait()
            self._inside += 1
            try:
                yield
            finally:
                self._inside -= 1
        finally:
            self._alone -= alone
            self._left.set()
            self._left = asyncio.Event()


def _file_of(path: Path) -> tuple[str, FileRole]:
    job_id, role, *_ = path.name.split(".")
    return job_id, FileRole(role)
