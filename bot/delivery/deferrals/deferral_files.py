"""Deferred interactions as files beside an SQLite database."""

import asyncio
from pathlib import Path


class DeferralFiles:
    """One small file for each deferral.

    They are not in the database: SQLite has one writer at a time, and interactions are deferred while people
    wait for it. Nobody else could serve their servers, as the database is a file, too. All methods raise
    OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, interaction_id: int, _guild_id: int, sealed: bytes) -> None:
        """Keep a deferral, or replace it."""
        await asyncio.to_thread(self._write, self._file(interaction_id), sealed)

    async def drop(self, interaction_id: int) -> None:
        """Delete the deferral."""
        await asyncio.to_thread(self._file(interaction_id).unlink, missing_ok=True)

    async def left(self) -> list[tuple[int, bytes]]:
        """Return all deferrals, oldest first."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[tuple[int, bytes]]:
        files = self._folder.glob("*.deferred") if self._folder.is_dir() else ()
        return sorted((int(file.stem), file.read_bytes()) for file in files if file.stem.isdecimal())

    def _write(self, file: Path, sealed: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_bytes(sealed)
        part.replace(file)

    def _file(self, interaction_id: int) -> Path:
        return self._folder / f"{interaction_id}.deferred"
