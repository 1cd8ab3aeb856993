"""Answers that all parts of the server use."""

import json
from collections.abc import Mapping
from typing import cast

from aiohttp import web


class Refusal(Exception):
    """Ends a request with a status and a sentence (Studii API docs, Errors)."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})

    def response(self) -> web.Response:
        return web.json_response({"error": self.message}, status=self.status, headers=self.headers)


async def read_object(request: web.Request) -> dict[str, object]:
    """Return the JSON object that a request carries. Answers 400 for anything else."""
    if request.content_type != "application/json":
        raise Refusal(400, "Content-Type must be application/json.")
    try:
        body: object = json.loads(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise Refusal(400, "The request body is too large.") from error
    except ValueError as error:
        raise Refusal(400, "The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Refusal(400, "The request body must be a JSON object.")
    return cast("dict[str, object]", body)


def text_field(body: Mapping[str, object], name: str) -> str:
    """Return a required text field of a body. Answers 400 if it is missing, empty or not a text."""
    value = body.get(name)
    if value is None:
        raise Refusal(400, f"Missing field: {name}.")
    if not isinstance(value, str) or not value.strip():
        raise Refusal(400, f"{name} must be a non-empty string.")
    return value
