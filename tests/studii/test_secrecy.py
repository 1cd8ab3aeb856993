"""A key is seen by Studii and by nobody else, and a proxy's password by the proxy."""

import logging
import traceback
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from aiohttp import web

import bot
from bot.aio.net import Connector, NoTunnel, Proxy
from bot.studii import NotSent, StudiiClient, StudiiError
from sandbox.studii import Endpoint
from tests.studii.bare import Handler, answering
from tests.studii.conftest import ENDPOINTS, HOST, INPUTS, QUICK, ask, behind

KEY = "stu_c0ffee-the-whole-secret"


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"error": f"bad {request.headers['Authorization']}"}, status=400)


async def fail(_: web.Request) -> web.Response:
    return web.json_response({"message": f"internal: {KEY}"}, status=500)


async def hang_up(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def nonsense(_: web.Request) -> web.Response:
    return web.Response(text=KEY, headers={"Location": f"https://x/{KEY}"})


def everything_said_about(error: BaseException) -> str:
    """All that a logger, or an error report with the local variables of our code, would show."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        told += [str(seen), repr(seen), repr(seen.args), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    here = Path(bot.__file__).parent
    ours = [frame.locals for frame in report.stack if Path(frame.filename).is_relative_to(here)]
    assert ours
    return "\n".join([*told, repr(ours)])


@pytest.mark.promise
@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "check"])
@pytest.mark.parametrize("handler", [echo, fail, hang_up, nonsense])
async def test_no_error_and_no_log_line_holds_the_key(
    caplog: pytest.LogCaptureFixture, handler: Handler, endpoint: Endpoint | Literal["check"]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(handler) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(StudiiError) as caught:
            await (client.check_key(KEY) if endpoint == "check" else ask(client, KEY, endpoint))
        assert "c0ffee" not in repr(vars(client))
    assert bare.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "c0ffee" not in everything_said_about(caught.value)
    assert "c0ffee" not in caplog.text


async def test_no_error_shows_the_proxys_user_and_password(tmp_path: Path) -> None:
    async with behind(tmp_path, "wrong-word") as way:
        with pytest.raises(NotSent) as caught:
            await way.client.create_job(way.key.secret, "studio", INPUTS)
        # What discord.py and the photos go through.
        proxy = Proxy.parse(way.proxy.address("wrong-word"))
        async with aiohttp.ClientSession(connector=Connector(proxy)) as session:
            with pytest.raises(NoTunnel) as raised:
                await session.get(f"https://{HOST}/")
    assert str(raised.value).endswith("refused the user and password in HTTPS_PROXY")
    assert caught.value.reason == str(raised.value)
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert not [one for one in chain if "wrong-word" in repr(one) or "Basic" in repr(one)]
