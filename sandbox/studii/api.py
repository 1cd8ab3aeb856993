"""The endpoints, as aiohttp handlers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from sandbox.studii.answers import Refusal, read_object, text_field
from sandbox.studii.faults import Endpoint, FaultQueue
from sandbox.studii.jobs import Job
from sandbox.studii.outputs import Outputs
from sandbox.studii.record import RequestLog, RequestRecord
from sandbox.studii.tools import parse_job
from sandbox.studii.uploads import EXTENSIONS, Upload
from sandbox.studii.world import StudiiWorld

Handler = Callable[[web.Request], Awaitable[web.Response]]

API = "/api/v1"
UPLOADS = "/storage/v1/object/upload/sign/uploads"
OUTPUTS = "/storage/v1/object/outputs"


class Api:
    """Answers requests from the world, after the faults that wait for them."""

    def __init__(self, world: StudiiWorld, faults: FaultQueue, log: RequestLog, outputs: Outputs) -> None:
        self._world, self._faults, self._log, self._outputs = world, faults, log, outputs

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_errors_as_json])
        router = app.router
        router.add_post(f"{API}/jobs", self._endpoint("create", self.create))
        router.add_get(f"{API}/jobs/{{id}}", self._endpoint("status", self.status), allow_head=False)
        router.add_post(f"{API}/uploads", self._endpoint("upload", self.upload))
        router.add_put(f"{UPLOADS}/{{object_key:.+}}", self._endpoint("put", self.put))
        router.add_get(f"{OUTPUTS}/{{token}}", self._endpoint("output", self.output))
        return app

    def _endpoint(
        self, endpoint: Endpoint, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            async def effect() -> web.Response:
                try:
                    return await handler(request)
                except Refusal as refusal:
                    return refusal.response()

            fault = self._faults.take(endpoint)
            at, monotonic = self._world.clock.now(), self._world.clock.monotonic()
            if self._world.options.latency:
                await asyncio.sleep(self._world.options.latency)
            response = await effect() if fault is None else await fault.apply(request, effect)
            self._log.add(
                RequestRecord(
                    at=at,
                    monotonic=monotonic,
                    endpoint=endpoint,
                    key=self._key_hint(request),
                    status=None if response is None else response.status,
                    job_id=_job_id(request, response),
                    body=await _summary(endpoint, request),
                    fault=fault,
                )
            )
            # After a hang-up aiohttp finds the connection closed and drops the answer.
            return web.Response() if response is None else response

        return answer

    def _key_hint(self, request: web.Request) -> str | None:
        secret = request.headers.get("Authorization", "").partition(" ")[2] or request.headers.get(
            "x-api-key", ""
        )
        key = self._world.keys.get(secret)
        return key.hint if key else None

    async def create(self, request: web.Request) -> web.Response:
        key = self._world.key_of(request.headers)
        wanted = parse_job(await read_object(request))
        source, trouble = None, None
        if wanted.source_object_key is not None:
            source = self._world.check_source(key, wanted.source_object_key)
            trouble = await self._outputs.trouble_with(source)
        job = self._world.create_job(key, wanted, source, trouble)
        body = {
            "id": job.id,
            "status": "queued",
            "status_url": f"{request.url.origin()}{API}/jobs/{job.id}",
            "credits_charged": job.charged,
        }
        return web.json_response(body, status=202)

    async def status(self, request: web.Request) -> web.Response:
        key = self._world.key_of(request.headers)
        job = self._world.job_of(key, request.match_info["id"])
        output_url = f"{request.url.origin()}{OUTPUTS}/{job.output_token}"
        return web.json_response(job.answer(self._world.clock.monotonic(), output_url))

    async def upload(self, request: web.Request) -> web.Response:
        key = self._world.key_of(request.headers)
        body = await read_object(request)
        filename, content_type = text_field(body, "filename"), text_field(body, "content_type")
        if content_type not in EXTENSIONS:
            raise Refusal(
                400, f"Unsupported content_type: {content_type}. Use one of {', '.join(EXTENSIONS)}."
            )
        lifetime = self._world.options.upload_lifetime
        upload = Upload(key.account, filename, content_type, self._world.clock.monotonic() + lifetime)
        self._world.uploads[upload.object_key] = upload
        address = f"{request.url.origin()}{UPLOADS}/{quote(upload.object_key)}"
        return web.json_response(
            {
                "object_key": upload.object_key,
                "signed_url": f"{address}?token={upload.token}",
                "token": upload.token,
                "expires_in": int(lifetime),
            }
        )

    async def put(self, request: web.Request) -> web.Response:
        upload = self._world.uploads.get(request.match_info["object_key"])
        if upload is None or request.query.get("token") != upload.token:
            raise Refusal(400, "The signature of this address is not valid.")
        self._check_put(request, upload)
        data = await _read_bounded(request, self._world.options.max_upload_bytes)
        if upload.data is not None:
            raise Refusal(409, "The object exists already: a signed address is good for one upload.")
        upload.data = data
        return web.json_response({"Key": f"uploads/{upload.object_key}"})

    def _check_put(self, request: web.Request, upload: Upload) -> None:
        limit = self._world.options.max_upload_bytes
        if upload.data is not None:
            raise Refusal(409, "The object exists already: a signed address is good for one upload.")
        if self._world.clock.monotonic() >= upload.expires:
            raise Refusal(400, "The signed address has expired.")
        if "Authorization" in request.headers or "x-api-key" in request.headers:
            raise Refusal(400, "A signed address takes no Authorization header.")
        if request.content_type != upload.content_type:
            raise Refusal(400, f"Content-Type must be {upload.content_type}, as it was asked for.")
        if request.content_length is None:
            raise Refusal(411, "Content-Length is required.")
        if request.content_length == 0:
            raise Refusal(400, "The upload is empty.")
        if request.content_length > limit:
            raise Refusal(413, f"The upload is larger than {limit} bytes.")

    async def output(self, request: web.Request) -> web.Response:
        job = self._world.by_output_token.get(request.match_info["token"])
        now = self._world.clock.monotonic()
        if job is None or not job.has_url(now) or self._expired(job, now):
            raise Refusal(404, "Object not found.")
        made = await self._outputs.of(job)
        return web.Response(body=made.data, content_type=made.content_type)

    def _expired(self, job: Job, now: float) -> bool:
        lifetime = self._world.options.output_lifetime
        return lifetime is not None and now >= job.ends + job.outcome.url_after + lifetime


async def _read_bounded(request: web.Request, limit: int) -> bytes:
    received = bytearray()
    async for chunk in request.content.iter_chunked(256 * 1024):
        received += chunk
        if len(received) > limit:
            raise Refusal(413, f"The upload is larger than {limit} bytes.")
    return bytes(received)


async def _summary(endpoint: Endpoint, request: web.Request) -> str:
    if endpoint not in ("create", "upload") or not request.body_exists:
        return ""
    try:
        return (await request.text())[:500]
    except (web.HTTPException, ConnectionError, UnicodeDecodeError):
        return ""


def _job_id(request: web.Request, response: web.StreamResponse | None) -> str | None:
    if "id" in request.match_info:
        return request.match_info["id"]
    if isinstance(response, web.Response) and response.status == 202 and isinstance(response.body, bytes):
        try:
            return str(json.loads(response.body)["id"])
        except (ValueError, KeyError):
            return None
    return None


@web.middleware
async def _errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        sentence = {404: "No such address.", 405: "This method is not allowed here."}
        return Refusal(error.status, sentence.get(error.status, error.reason)).response()
