"""`make check` fails for a known vulnerability, and for nothing else that a network may do."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from aiohttp import web

from tests.studii.bare import answering
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[1]
LOCKED = "".join(f"{name}==1.0 \\\n    --hash=sha256:{'0' * 64}\n" for name in ("first", "second"))
FLAW = {
    "id": "PYSEC-1",
    "summary": "Something is wrong.",
    "affected": [{"package": {"name": "second", "ecosystem": "PyPI"}, "versions": ["1.0"], "ranges": []}],
}


async def audited(folder: Path, url: str, *, locked: str = LOCKED) -> tuple[int | None, str]:
    file = folder / "locked.txt"
    file.write_text(locked)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.audit", str(file), "-s", "osv", "--osv-url", url),
        *("--timeout", "5", "--cache-dir", str(folder / "cache")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, said.decode()


async def test_a_known_vulnerability_fails_the_check(tmp_path: Path) -> None:
    async def service(request: web.Request) -> web.Response:
        named = json.loads(await request.read())["package"]["name"]
        return web.json_response({"vulns": [FLAW]} if named == "second" else {})

    async with answering(service) as server:
        status, said = await audited(tmp_path, server.url)
    assert status == 1, said
    assert "second 1.0: PYSEC-1, no fix yet" in said
    assert f"2 packages of {tmp_path / 'locked.txt'} have 1 known" in said


@pytest.mark.parametrize("status", [None, 502])
async def test_a_service_that_is_away_is_said_and_fails_nothing(tmp_path: Path, status: int | None) -> None:
    async def trouble(_request: web.Request) -> web.Response:
        return web.Response(status=status or 500)

    async with answering(trouble) as server:
        url = server.url
        if status is None:
            with socket.create_server(("127.0.0.1", 0)) as closed:
                url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        status, said = await audited(tmp_path, url)
        assert len(server.headers) <= 1  # asked once, not for each package
    assert status == 0, said
    assert "was not audited" in said
