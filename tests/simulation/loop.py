"""A simulated machine's clock, and the event loop of one process on it.

What outlives a process (servers, people, packets on their way) is a callback of the clock, never a task.
Nothing here waits for the real machine, so the order of everything follows from the seed.
"""

import asyncio
import contextvars
import gc
import hashlib
import heapq
import itertools
import logging
import math
import os
import random
import socket
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, Protocol, TextIO

import aiosqlite.core
import discord.gateway
import filelock._api
import time_machine

from tests.simulation import disk

EPOCH = 1_767_225_600.0  # 1 January 2026, when every simulation begins
STEP = 20e-6  # seconds that one step of a task takes
JITTER = 0.002  # seconds by which a timer may be late
LIVELOCK = 200_000  # steps without a timer or an event
TIMES = ("monotonic", "perf_counter", "clock_gettime")

Plan = Generator[float, None, None]


class Killed(BaseException):
    """The process ends here, between two steps."""


class NothingLeft(Exception):
    """Nothing is ready and nothing is planned: everything waits for ever."""


class Clock:
    """The time, what is planned outside of any process, randomness by name, and the trace.

    `jumped` is what the wall clock is ahead of the monotonic one, in seconds.
    """

    def __init__(self, seed: int, trace: TextIO | None = None) -> None:
        self.now, self.jumped, self.seed = EPOCH, 0.0, seed
        self.digest, self._trace = hashlib.sha256(), trace
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = itertools.count()
        self.graves: list[object] = []

    @property
    def passed(self) -> float:
        """Return the seconds since the beginning."""
        return self.now - EPOCH

    def random(self, name: str) -> random.Random:
        """Return a stream of its own, so that one more draw here changes nothing elsewhere."""
        return random.Random(f"{self.seed}/{name}")  # a string is hashed with SHA-512, not with hash()

    def after(self, delay: float, call: Callable[..., object], *args: Any) -> None:
        """Call it then, whether or not a process lives. Calls for the same moment keep their order."""
        heapq.heappush(self._events, (self.now + delay, next(self._count), call, args))

    def follow(self, plan: Plan) -> None:
        """Run a plan that yields how many seconds it waits: a person, or a fault."""
        if (delay := next(plan, None)) is not None:
            self.after(delay, self.follow, plan)

    def next(self) -> float:
        """Return when the next event is due."""
        return self._events[0][0] if self._events else math.inf

    def take(self) -> None:
        """Let the next event happen."""
        when, _, call, args = heapq.heappop(self._events)
        self.now = max(self.now, when)
        call(*args)

    def run_until(self, when: float) -> None:
        """Let time pass without a process."""
        while self.next() <= when:
            self.take()
        self.now = max(self.now, when)

    def forget(self) -> None:
        """Let go of everything, at the end."""
        self._events.clear()
        self.graves.clear()

    def note(self, *what: object) -> None:
        """Write a line of the trace, by which two runs are compared: never the repr of an object or a set."""
        line = f"{self.passed:.6f} {' '.join(map(str, what))}\n"
        self.digest.update(line.encode())
        if self._trace is not None:
            self._trace.write(line)


class Reachable(Protocol):
    """What a process reaches by its sockets; see `network.Network`."""

    def resolve(self, host: str) -> str: ...
    def reached(self, address: str) -> None: ...
    def open(self, loop: "Loop", address: str, protocol: asyncio.Protocol) -> asyncio.Transport: ...
    def latency(self) -> float: ...


class _Task(asyncio.Task[Any]):
    """A task whose place in a set follows from its number: a TaskGroup cancels in the order of a set."""

    number: int
    numbers = itertools.count(1)

    def __init__(self, *args: Any, **more: Any) -> None:
        self.number = next(_Task.numbers)  # before others put it into sets
        super().__init__(*args, **more)

    def __hash__(self) -> int:
        return self.number


class _Future(asyncio.Future[Any]):
    """A future whose place in a set follows from its number: aiohttp keeps who waits for a name in one."""

    def __init__(self, number: int, **more: Any) -> None:
        self.number = number
        super().__init__(**more)

    def __hash__(self) -> int:
        return self.number


class Loop(asyncio.BaseEventLoop):
    """One process's event loop: first come, first served as in asyncio, with timers late by a random moment.

    `context` is what the process's tasks and callbacks run in: a ContextVar of a library would otherwise
    outlive a kill. Calls in a thread are made within `in_thread`. `executes` is called before each statement
    of SQLite, and `spoil_statement` returns the error of one that is to fail.
    """

    def __init__(self, clock: Clock, name: str, network: Reachable) -> None:
        super().__init__()
        self.clock, self.network = clock, network
        self.steps, self.kill_at = 0, -1
        self.context = contextvars.Context()
        self.in_thread: Callable[[], AbstractContextManager[object]] = nullcontext
        self.spoil_statement: disk.Spoil = lambda _: None
        self.executes: Callable[[], None] = lambda: None
        self.rand, self._spun = clock.random(name), 0
        self._home = threading.get_ident()
        self._addresses: dict[int, str] = {}
        self._futures = itertools.count(1)
        self._ready: Any
        self._scheduled: list[Any]
        self.set_task_factory(_new_task)

    def time(self) -> float:
        return self.clock.now

    def create_future(self) -> "asyncio.Future[Any]":
        return _Future(next(self._futures), loop=self)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        return super().call_at(when + self.rand.random() * JITTER, callback, *args, context=context)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        if threading.get_ident() != self._home:
            raise RuntimeError(f"a thread calls {callback!r}: no seed decides when")
        return self.call_soon(callback, *args, context=context)

    def deliver(self, callback: Callable[..., object], *args: Any) -> None:
        """Let the process hear of something, if it still lives."""
        if not self.is_closed():
            self.call_soon(callback, *args, context=self.context)

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        """Call it in this thread, a moment later: a kill comes before it, or before its end is told."""
        future = self.create_future()

        def work() -> None:
            if future.cancelled():
                return
            try:
                with self.in_thread():
                    result = func(*args)
            except Exception as error:  # noqa: BLE001 - told to who has asked
                future.set_exception(error)
            else:
                future.set_result(result)

        slow = self.rand.random() < 0.03  # a disk that is busy
        self.call_later(self.rand.expovariate(3 if slow else 1000), work)
        return future

    # The network: real names, sockets and TLS are never touched.

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        await asyncio.sleep(self.network.latency())
        address = self.network.resolve(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await asyncio.sleep(self.network.latency())
        self.network.reached(address[0])
        self._addresses[sock.fileno()] = address[0]

    async def create_connection(self, protocol_factory: Any, *_: Any, sock: Any = None, **__: Any) -> Any:
        address = self._addresses.pop(sock.fileno())
        sock.close()
        protocol = protocol_factory()
        return self.network.open(self, address, protocol), protocol

    def drop(self) -> None:
        """End as a killed process: no task is cancelled, no `finally` runs before the simulation is over."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
            self.clock.graves.append(task)
        self.clock.graves.append((list(self._ready), list(self._scheduled)))
        self.set_exception_handler(_ignore)
        self.close()
        filelock._api._REGISTRY.held.clear()  # pyright: ignore[reportPrivateUsage]  # locks by their tasks

    def _next(self) -> float:
        """Return when the next timer or event is due."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1
        return min(timers[0]._when if timers else math.inf, self.clock.next())

    def _run_once(self) -> None:
        """Run until the loop is to stop: nothing is ever to be waited for between two steps."""
        ready, clock = self._ready, self.clock
        while True:
            while (due := self._next()) <= clock.now or not (ready or self._stopping):
                if due == math.inf:
                    raise NothingLeft
                self._spun = 0
                if clock.next() <= due:
                    clock.take()
                else:
                    timer = heapq.heappop(self._scheduled)
                    timer._scheduled = False
                    clock.now = max(clock.now, due)
                    ready.append(timer)
            if self._stopping or not ready:
                return
            if (handle := ready.popleft())._cancelled:
                continue
            self.steps += 1
            self._spun += 1
            if self.steps == self.kill_at:
                ready.appendleft(handle)  # a task that only it holds is buried with the others
                raise Killed
            if self._spun > LIVELOCK:
                raise NothingLeft(f"it spins: {handle!r}")
            clock.now += STEP
            handle._run()

    _timer_cancelled_count: int
    _stopping: bool

    def _process_events(self, event_list: object) -> None: ...

    def _write_to_self(self) -> None: ...


def _new_task(loop: Any, coro: Any, **more: Any) -> _Task:
    return _Task(coro, loop=loop, **more)


def _ignore(*_: object) -> None: ...


class _Statements:
    """In place of the queue to aiosqlite's thread: statements are executed in the loop's, in their order.

    What needs no file takes no time.
    """

    def __init__(self) -> None:
        self._last, self._waiting = 0.0, 0

    def put_nowait(self, item: tuple[Any, Callable[[], Any]]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Loop)
        if not self._waiting and _in_memory(item[1]):
            _execute(*item)
            return
        self._waiting += 1
        self._last = max(self._last, loop.clock.now + loop.rand.random() * JITTER)
        loop.clock.after(self._last - loop.clock.now, self._take, loop, *item)

    def _take(self, loop: Loop, future: Any, function: Callable[[], Any]) -> None:
        self._waiting -= 1
        if not loop.is_closed():
            _execute(future, function)


def _in_memory(function: Any) -> bool:
    """Return whether a cursor is to be made, read or closed."""
    called = getattr(function, "func", None)
    name, of = getattr(called, "__name__", ""), getattr(called, "__self__", None)
    return name == "cursor" or (isinstance(of, sqlite3.Cursor) and name in {"fetchall", "close"})


def _execute(future: Any, function: Callable[[], Any]) -> None:
    try:
        result = function()
    except Exception as error:  # noqa: BLE001 - told to who has asked
        if future is not None and disk.is_busy(error):
            future.get_loop().call_later(disk.BUSY_SECONDS, _fail, future, error)
        elif future is not None:
            _fail(future, error)
    else:
        if future is not None and not future.done():
            future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class _NoThread:
    def __init__(self, *_: object, **__: object) -> None: ...

    def start(self) -> None: ...

    def is_alive(self) -> bool:
        return False


class _KeepAlive(discord.gateway.KeepAliveHandler):
    """Sends the gateway's heartbeats from timers instead of a thread."""

    def start(self) -> None:
        self.ws.loop.call_later(self.interval or 0, self._beat)

    def _beat(self) -> None:
        if self._stop_ev.is_set():
            return
        late = self._last_recv + self.heartbeat_timeout < time.perf_counter()
        work = self.ws.close(4000) if late else self.ws.send_heartbeat(self.get_payload())
        if late:
            self.stop()
        else:
            self.start()
        self.ws.loop.create_task(work).add_done_callback(self._sent)

    def _sent(self, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or task.exception() is not None:
            self.stop()
        else:
            self._last_send = time.perf_counter()


def _replace(old: object, new: object) -> list[tuple[object, str, object]]:
    """Replace an object wherever a module has it, by whatever name; return how to undo it."""
    found = [
        (one, name) for one in list(sys.modules.values()) for name, it in list(vars(one).items()) if it is old
    ]
    for module, name in found:
        setattr(module, name, new)
    return [(module, name, old) for module, name in found]


def _stand_ins(clock: Clock) -> list[tuple[object, str, object]]:
    """Replace what asks the machine; return how to undo it."""

    def monotonic(_: object = None) -> float:
        return clock.now

    rand, seeds, of_driver = clock.random("machine"), clock.random("seeds"), vars(aiosqlite.core)

    class Seeded(random.Random):
        """Takes its seed from ours if none is given: discord.py waits for such a one before it reconnects."""

        def seed(self, a: Any = None, version: int = 2) -> None:
            super().seed(seeds.getrandbits(64) if a is None else a, version)

    undo = [
        # time-machine leaves these; a view's timeout reads the first.
        *(one for name in TIMES for one in _replace(getattr(time, name), monotonic)),
        *_replace(os.urandom, rand.randbytes),  # uuid4, secrets, SystemRandom, discord.py's custom ids
        *_replace(random.Random, Seeded),
        *_replace(discord.gateway.KeepAliveHandler, _KeepAlive),
        *_replace(sqlite3.connect, partial(sqlite3.connect, factory=disk.Connection)),
        *((aiosqlite.core, name, of_driver[name]) for name in ("SimpleQueue", "Thread")),
    ]
    for name, stand_in in (("SimpleQueue", _Statements), ("Thread", _NoThread)):
        setattr(aiosqlite.core, name, stand_in)
    return undo


@contextmanager
def tamed(clock: Clock) -> Generator[None]:
    """Have whatever asks the machine for time, randomness or a thread ask the clock or the loop.

    Import what is simulated before: functions are replaced where modules have them. What C code draws itself
    stays random.
    """
    travel = time_machine.travel(
        EPOCH, tick=False
    )  # time.time and datetime.now, whoever has imported them, in C
    travel.start().time_ns = lambda: int((clock.now + clock.jumped) * 1e9)
    undo = _stand_ins(clock)
    state = random.getstate()
    random.seed(clock.seed)
    _Task.numbers = itertools.count(1)
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()  # what is there now isn't what the simulation leaves
    # A weak reference must not go away earlier in one run than in another: collect at a simulated hour.
    gc.disable()
    try:
        yield
    finally:
        _bury(clock)
        for module, name, value in undo:
            setattr(module, name, value)
        random.setstate(state)
        travel.stop()
        if was_enabled:
            gc.enable()


def _bury(clock: Clock) -> None:
    """Collect what killed processes left: now their `finally` blocks run, and fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hook, sys.unraisablehook = sys.unraisablehook, _ignore
        level = logging.root.manager.disable
        logging.disable()
        closed = asyncio.BaseEventLoop()
        closed.close()
        asyncio._set_running_loop(closed)  # on which no `finally` can begin anything
        clock.forget()
        while gc.collect():  # what one has freed holds others
            pass
        asyncio._set_running_loop(None)
        logging.disable(level)
        sys.unraisablehook = hook
