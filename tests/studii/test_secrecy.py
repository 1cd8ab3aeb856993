"""A key is seen by Studii and by nobody else."""

import logging
import tomllib
import traceback
from pathlib import Path

import pytest
from aiohttp import web

import bot
from bot.studii import USER_AGENT, StudiiClient, StudiiError
from tests.studii.bare import Handler, answering, speaking
from tests.studii.conftest import QUICK

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
    ours = [frame.locals for frame in report.stack if is_ours(frame.filename)]
    assert ours
    return "\n".join([*told, repr(ours)])


def is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(Path(bot.__file__).parent)


async def ask(client: StudiiClient, question: str) -> None:
    if question == "create":
        await client.create_job(KEY, "studio", {"prompt": "dawn"})
    elif question == "status":
        await client.job_status(KEY, "8a1f")
    elif question == "upload":
        await client.request_upload(KEY, "kitchen.jpg", "image/jpeg")
    else:
        await client.check_key(KEY)


@pytest.mark.promise
@pytest.mark.parametrize("question", ["create", "status", "upload", "check"])
@pytest.mark.parametrize("handler", [echo, fail, hang_up, nonsense])
async def test_no_error_and_no_log_line_holds_the_key(
    caplog: pytest.LogCaptureFixture, handler: Handler, question: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(handler) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        try:
            await ask(client, question)
        except StudiiError as error:
            caught = error
        else:
            assert (handler, question) == (nonsense, "check")
            return
    assert bare.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert caught.__cause__ is caught.__context__ is None
    assert "c0ffee" not in everything_said_about(caught)
    assert "c0ffee" not in caplog.text


@pytest.mark.parametrize("question", ["create", "status", "upload", "check"])
async def test_an_answer_that_is_not_http_does_not_bring_the_key_to_light(question: str) -> None:
    async with speaking(b"garbage\r\n\r\n") as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(StudiiError) as caught:
            await ask(client, question)
    assert "c0ffee" not in everything_said_about(caught.value)


async def test_the_client_itself_shows_no_key() -> None:
    async with answering(fail) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(StudiiError):
            await client.check_key(KEY)
        assert "c0ffee" not in repr(vars(client))


def test_the_product_names_its_version() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert f"{project['name']}/{project['version']}" == USER_AGENT
