"""The network between a process and the simulated servers: names, connections, HTTP and WebSocket frames.

discord.py and aiohttp run unchanged above it, with their pools, timeouts, retries and parsers. A request that
has left arrives even if its process is killed meanwhile.
"""

import asyncio
import base64
import hashlib
import json
import re
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.simulation.faults import Fault, Faults
from tests.simulation.loop import Clock, Loop

_T = TypeVar("_T")
LATENCY = (0.005, 0.04)  # seconds, one way
WORK = (0.005, 0.2)  # seconds that a server needs
_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_PAGE = "<html><head><title>{0}</title></head><body><h1>{0} Bad Gateway</h1></body></html>"


class Request:
    """A request, with what the sandbox's handlers ask of aiohttp's."""

    def __init__(self, host: str, method: str, target: str, headers: "CIMultiDict[str]", body: bytes) -> None:
        self.method, self.headers, self.body = method, headers, body
        self.url = URL(f"https://{host}{target}", encoded=True)
        self.path, self.raw_path, self.query = self.url.path, self.url.raw_path, self.url.query
        self.match_info: Mapping[str, str] = {}
        self.content_type = headers.get("Content-Type", "application/octet-stream").partition(";")[0]
        self.content_length = int(headers["Content-Length"]) if "Content-Length" in headers else None
        self.transport = None
        self.content = self  # a stream of itself

    async def read(self) -> bytes:
        return self.body

    async def json(self) -> Any:
        return json.loads(self.body or b"null")

    async def iter_chunked(self, _: int) -> Any:
        yield self.body

    def parts(self) -> list[tuple[str, str | None, str, bytes]]:
        """Return name, file name, content type and bytes of each part of a form."""
        (boundary,) = re.findall(r'boundary="?([^";]+)', self.headers["Content-Type"])
        found: list[tuple[str, str | None, str, bytes]] = []
        for part in self.body.split(b"--" + boundary.encode())[1:-1]:
            head, _, data = part.partition(b"\r\n\r\n")
            told = head.decode()
            name, filename = re.search(r'[ ;]name="([^"]*)"', told), re.search(r'filename="([^"]*)"', told)
            kind = re.search(r"Content-Type: ([^\r;]+)", told, re.IGNORECASE)
            found.append(
                (
                    name[1] if name else "",
                    filename[1] if filename else None,
                    kind[1] if kind else "application/octet-stream",
                    data[:-2],
                )
            )
        return found


class WebSocket(Protocol):
    """What a server does with one connection of a WebSocket."""

    def received(self, text: str) -> None: ...
    def gone(self, code: int | None) -> None: ...


class Server(Protocol):
    """A server at one or several names."""

    name: str

    def answer(self, request: Any) -> web.StreamResponse: ...
    def limited(self) -> web.Response: ...
    def upgrade(self, connection: "Connection") -> WebSocket: ...


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that waits for nothing."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        return end.value


def answer_of(response: web.StreamResponse) -> bytes:
    """Return the body of a handler's answer."""
    body = getattr(response, "body", None)
    return body if isinstance(body, bytes) else b""


class Network:
    """All servers by name, and what goes wrong on the way to them."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock, self.faults, self.rand = clock, faults, clock.random("network")
        self.connections: list[Connection] = []
        self._servers: dict[str, Server] = {}
        self._names: dict[str, str] = {}  # by address

    def add(self, host: str, server: Server) -> None:
        """Let a server be reached by this name."""
        self._servers[host] = server
        self._names[f"1.1.1.{len(self._names) + 1}"] = host

    def latency(self) -> float:
        return self.rand.uniform(*LATENCY)

    def resolve(self, host: str) -> str:
        if host not in self._servers or self.faults.away(self._servers[host].name) == "dns":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return next(address for address, name in self._names.items() if name == host)

    def reached(self, address: str) -> None:
        if self.faults.away(self._servers[self._names[address]].name) is not None:
            raise ConnectionRefusedError(111, "Connect call failed")

    def open(self, loop: Loop, address: str, protocol: asyncio.Protocol) -> "Connection":
        host = self._names[address]
        made = Connection(self, loop, host, self._servers[host], protocol)
        self.connections.append(made)
        return made

    def lost(self, loop: Loop) -> None:
        """Tell the servers, after a while, that a process is gone."""
        for one in self.connections:
            if one.loop is loop:
                one.abort()
        self.connections.clear()


class Connection(asyncio.Transport):
    """A process's end of a connection; its other end is a server."""

    def __init__(
        self, network: Network, loop: Loop, host: str, server: Server, protocol: asyncio.Protocol
    ) -> None:
        super().__init__()
        self.loop, self._network, self._clock = loop, network, network.clock
        self._host, self._server = host, server
        self._protocol: Any = protocol
        self._sent = self._returned = 0.0  # when the last byte arrives there, and here
        self._buffer = b""
        self._socket: WebSocket | None = None
        self._closing = self._ended = False  # by the process, by the server
        protocol.connection_made(self)

    # The process's side.

    def write(self, data: Any) -> None:
        if not self._closing:
            self._to_server(self._received, bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 443) if name == "peername" else default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._to_server(self._left)
        self.loop.deliver(self._protocol.connection_lost, None)
        if self in self._network.connections:
            self._network.connections.remove(self)

    def abort(self) -> None:
        self.close()

    def _to_server(self, call: Callable[..., None], *args: Any) -> None:
        self._sent = max(self._sent, self._clock.now + self._network.latency())
        self._clock.after(self._sent - self._clock.now, call, *args)

    # The server's side.

    def _received(self, data: bytes) -> None:
        self._buffer += data
        while not self._ended:
            if self._socket is not None:
                if not self._take_frame():
                    return
            elif (request := self._take_request()) is not None:
                self._serve(request)
            else:
                return

    def _take_request(self) -> Request | None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = CIMultiDict[str]()
        for line in lines:
            name, _, value = line.partition(": ")
            headers.add(name, value)
        if headers.get("Transfer-Encoding") == "chunked":
            body, end = _unchunked(rest)
            if end is None:
                return None
        else:
            end = int(headers.get("Content-Length", 0))
            if len(rest) < end:
                return None
            body = rest[:end]
        self._buffer = rest[end:]
        return Request(self._host, method, target, headers, body)

    def _serve(self, request: Request) -> None:
        if request.headers.get("Upgrade") == "websocket":
            self._shake_hands(request)
            return
        fault = self._network.faults.of(self._server.name, request.method, request.path)
        answer: web.StreamResponse | None = None
        if fault is None or fault.happens:
            answer = self._server.answer(request)
        status = answer.status if answer is not None else "-"
        self._clock.note(self._server.name, request.method, request.path, status, fault.kind if fault else "")
        delay = self._network.rand.uniform(*WORK)
        match fault:
            case Fault("dropped" | "lost"):
                self._later(delay, self.hang_up)
                return
            case Fault("stalled"):
                return
            case Fault("500" | "502" | "503" | "504" | "502 after"):
                status = int(fault.kind[:3])
                page = _PAGE.format(status)
                answer = web.Response(status=status, text=page, content_type="text/html")
                if fault.kind == "500":
                    answer = web.json_response(
                        {"error": "Something went wrong.", "message": "500"}, status=500
                    )
            case Fault("429"):
                answer = self._server.limited()
            case Fault("slow"):
                delay += fault.seconds
            case _:
                pass
        assert answer is not None
        data = _written(answer, garbled=fault is not None and fault.kind == "garbled")
        if fault is not None and fault.kind == "cut":
            self._later(delay, self._respond, data[:-1])
            self._later(delay, self.hang_up)
        else:
            self._later(delay, self._respond, data)

    def _later(self, delay: float, call: Callable[..., None], *args: Any) -> None:
        self._clock.after(delay, call, *args)

    def _respond(self, data: bytes) -> None:
        self._to_process(self._deliver_data, data)

    def _to_process(self, call: Callable[..., None], *args: Any) -> None:
        self._returned = max(self._returned, self._clock.now + self._network.latency())
        self._clock.after(self._returned - self._clock.now, call, *args)

    def _deliver_data(self, data: bytes) -> None:
        if not self._closing:
            self.loop.deliver(self._protocol.data_received, data)

    def hang_up(self) -> None:
        """Close the connection from the server's side."""
        self._ended = True
        self._to_process(self._lose)

    def _lose(self) -> None:
        if not self._closing:
            self._closing = True
            self.loop.deliver(self._protocol.connection_lost, None)
            if self in self._network.connections:
                self._network.connections.remove(self)

    def _left(self) -> None:
        if self._socket is not None and not self._ended:
            self._socket.gone(None)
        self._ended = True

    # WebSocket frames.

    def _shake_hands(self, request: Request) -> None:
        proof = base64.b64encode(
            hashlib.sha1(request.headers["Sec-WebSocket-Key"].encode() + _WEBSOCKET).digest()  # noqa: S324 - RFC 6455
        ).decode()
        self._respond(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {proof}\r\n\r\n".encode()
        )
        self._clock.note(self._server.name, "connected")
        self._socket = self._server.upgrade(self)

    def send(self, text: str) -> None:
        """Send a text to the process."""
        self._frame(_TEXT, text.encode())

    def close_with(self, code: int) -> None:
        """Close a WebSocket with a code."""
        self._frame(_CLOSE, struct.pack(">H", code))
        self.hang_up()

    def _frame(self, kind: int, data: bytes) -> None:
        size = len(data)
        head = (
            struct.pack(">BB", 0x80 | kind, size)
            if size < 126
            else struct.pack(">BBH", 0x80 | kind, 126, size)
        )
        if size > 0xFFFF:
            head = struct.pack(">BBQ", 0x80 | kind, 127, size)
        self._respond(head + data)

    def _take_frame(self) -> bool:
        data = self._buffer
        if len(data) < 2:
            return False
        kind, size, start = data[0] & 15, data[1] & 127, 2
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + 4 + size:
            return False
        mask, body = data[start : start + 4], data[start + 4 : start + 4 + size]
        self._buffer = data[start + 4 + size :]
        whole = int.from_bytes((mask * (size // 4 + 1))[:size], "big") ^ int.from_bytes(body, "big")
        plain = whole.to_bytes(size, "big")
        assert self._socket is not None
        if kind == _TEXT:
            self._socket.received(plain.decode())
        elif kind == _PING:
            self._frame(_PONG, plain)
        elif kind == _CLOSE:
            self._socket.gone(int.from_bytes(plain[:2], "big"))
            self._frame(_CLOSE, plain[:2])
            self.hang_up()
        return True


def _unchunked(data: bytes) -> tuple[bytes, int | None]:
    """Return a chunked body and where it ends, None if it is not complete."""
    body, at = b"", 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return b"", None
        size = int(data[at:end], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            return b"", None
        if size == 0:
            return body, at
        body += data[end + 2 : end + 2 + size]


def _written(answer: web.StreamResponse, *, garbled: bool) -> bytes:
    body = answer_of(answer)
    if garbled and answer.content_type != "video/mp4":  # nothing would tell half of one from a whole one
        body = body[: len(body) // 2]
    headers = [f"HTTP/1.1 {answer.status} {answer.reason or 'OK'}"]
    headers += [f"{name}: {value}" for name, value in answer.headers.items() if name != "Content-Length"]
    if answer.status != 204:
        headers.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*headers, "", ""]).encode() + body
