"""Clients who behave badly, many at a time, by docs/protocol.md. Each kind is a coroutine; Hostiles
runs them on a thread of its own, so that a test can look at the servers meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from support import longer
from wire_client import (
    AUTH,
    ERROR,
    HEADER,
    LOGIN,
    SEND,
    TYPING,
    Frame,
    make_frame,
    new_message_id,
)

T = TypeVar("T")
WANTED_FILES = 8192
PATIENCE_S = longer(60.0)
FLOOD_PERIOD_S = 0.01  # leaves the other hostiles their turn
CLOSED = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)


class Hostiles:
    """The thread. What is still running when it is closed is cancelled."""

    def __init__(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(WANTED_FILES, hard), hard))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, what: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    def run(self, what: Coroutine[Any, Any, T], timeout_s: float = PATIENCE_S) -> T:
        return self.start(what).result(timeout_s)

    def close(self) -> None:
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    async def _cancel_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Link:
    """One connection. Its first frame is JSON, so the answers are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._requests = 0

    @classmethod
    async def connect(cls, address: str, source: str = "") -> Link:
        """source: one of 127.0.0.0/8, which the edge counts as an address of its own."""
        host, port = address.rsplit(":", 1)
        local = (source, 0) if source else None
        return cls(*await asyncio.open_connection(host, int(port), local_addr=local))

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read(self) -> Frame:
        header = await self.reader.readexactly(HEADER.size)
        _, _, codec, command, _, request_id, size = HEADER.unpack(header)
        body = await self.reader.readexactly(size)
        return Frame(command, request_id, json.loads(body) if codec == 1 and body else {})

    async def call(self, command: int, **body: Any) -> Frame:
        """Passes over events and other answers."""
        self._requests += 1
        await self.write(make_frame(command, body, self._requests))
        while True:
            frame = await self.read()
            if frame.request_id == self._requests:
                return frame

    async def wait_end(self) -> list[Frame]:
        """What still comes until the edge closes."""
        frames = []
        try:
            while True:
                frames.append(await self.read())
        except CLOSED:
            return frames

    def close(self) -> None:
        self.writer.transport.abort()


async def sign_in(link: Link, user: str, device: str, password: str) -> str:
    """The access token; refusals that are retryable are not repeated."""
    tokens = await link.call(LOGIN, user=user, device=device, password=password)
    assert tokens.command != ERROR, tokens.body
    await authenticate(link, str(tokens.body["access_token"]))
    return str(tokens.body["access_token"])


async def authenticate(link: Link, token: str) -> None:
    answer = await link.call(AUTH, access_token=token)
    assert answer.command != ERROR, answer.body


async def guess(address: str, user: str, passwords: Sequence[str], source: str) -> list[Frame]:
    """The answer to each."""
    link = await Link.connect(address, source)
    try:
        return [
            await link.call(LOGIN, user=user, device="d", password=password)
            for password in passwords
        ]
    finally:
        link.close()


async def log_in(address: str, user: str, device: str, password: str, source: str = "") -> str:
    link = await Link.connect(address, source)
    try:
        return await sign_in(link, user, device, password)
    finally:
        link.close()


# Strangers.


@dataclass
class Strangers:
    """So many connections that never authenticate, opened again soon after they were closed."""

    address: str
    count: int
    source: str
    words: bytes  # that each begins with
    connects: int = 0
    told: int = 0  # frames that came

    async def stay(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(self.count)))

    async def _one(self) -> None:
        while True:
            try:
                link = await Link.connect(self.address, self.source)
                self.connects += 1
                await link.write(self.words)
                self.told += len(await link.wait_end())
                link.close()
            except CLOSED:
                pass
            await asyncio.sleep(0.2)


# Slow ones.


async def drip(address: str, data: bytes, token: str = "", period_s: float = 1.0) -> float:
    """A byte each period, until the edge closes: how long it let that go on."""
    link = await Link.connect(address)
    if token:
        await authenticate(link, token)
    end = asyncio.ensure_future(link.wait_end())
    begin = time.monotonic()
    for byte in data:
        done, _ = await asyncio.wait([end], timeout=period_s)
        if done:
            break
        try:
            await link.write(bytes([byte]))
        except CLOSED:
            break
    await end
    link.close()
    return time.monotonic() - begin


def deaf_socket(address: str, token: str) -> socket.socket:
    """Authenticated, with little room for what comes; nobody reads it."""
    host, port = address.rsplit(":", 1)
    quiet = socket.socket()
    quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    quiet.settimeout(PATIENCE_S)
    quiet.connect((host, int(port)))
    quiet.sendall(make_frame(AUTH, {"access_token": token}, 1))
    quiet.recv(1, socket.MSG_PEEK)  # AuthOk came: it is a session
    return quiet


# Floods.


@dataclass
class Flood:
    """Frames, much faster than the edge takes them."""

    address: str
    token: str
    more: Callable[[], bytes]  # the next ones, many at once
    answers: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, seconds: float) -> Flood:
        """So long from the first answer on."""
        link = await Link.connect(self.address)
        await authenticate(link, self.token)
        reading = asyncio.ensure_future(self._read(link))
        writing = asyncio.ensure_future(self._write(link))
        await asyncio.wait_for(self._answered.wait(), PATIENCE_S)
        await asyncio.wait([reading, writing], timeout=seconds)
        for task in (reading, writing):
            task.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)
        link.close()
        return self

    async def _write(self, link: Link) -> None:
        while True:
            await link.write(self.more())
            await asyncio.sleep(FLOOD_PERIOD_S)

    async def _read(self, link: Link) -> None:
        """In large pieces: there are many, and the servers want the processors too."""
        data = b""
        while more := await link.reader.read(1 << 18):
            data += more
            place = 0
            while len(data) - place >= HEADER.size:
                *_, command, _, _, size = HEADER.unpack_from(data, place)
                end = place + HEADER.size + size
                if end > len(data):
                    break
                self._count(command, data[place + HEADER.size : end])
                place = end
            data = data[place:]

    def _count(self, command: int, body: bytes) -> None:
        self.answers[command] += 1
        self._answered.set()
        if command == ERROR:
            self.errors[str(json.loads(body)["name"])] += 1


# Frames of a flood, so many at once.

BATCH = 200
Maker = Callable[[], bytes]


def sends(user: str) -> Maker:
    """Messages to a user, oneself perhaps, each another one."""
    return _sends(itertools.repeat({"to_user": user}))


def group_sends(groups: Sequence[str]) -> Maker:
    """To each in turn."""
    return _sends({"to_group": group} for group in itertools.cycle(groups))


def _sends(places: Iterator[dict[str, str]]) -> Maker:
    content = {"kind": "Text", "text": "flood"}
    numbers = itertools.count(2)

    def one() -> bytes:
        body = {**next(places), "client_msg_id": new_message_id(), "content": content}
        return make_frame(SEND, body, next(numbers))

    return lambda: b"".join(one() for _ in range(BATCH))


def same(command: int, body: bytes | dict[str, Any]) -> Maker:
    """Answered at once, so that the number is free again."""
    frames = make_frame(command, body, 2) * BATCH
    return lambda: frames


def typing(user: str) -> Maker:
    return same(TYPING, {"to_user": user})


async def garbage(address: str, data: bytes, seconds: float, source: str) -> int:
    """Bytes that end the connection, on one after the other: how many there were."""
    deadline = time.monotonic() + seconds
    count = 0
    while time.monotonic() < deadline:
        try:
            link = await Link.connect(address, source)
            count += 1
            await link.write(data)
            await link.wait_end()
            link.close()
        except CLOSED:
            pass
    return count


# Storms.


class Herd:
    """Sessions that all go and come back at once."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.tokens: list[tuple[str, str]] = []  # and the address that it comes from
        self.links: list[Link] = []
        self.refused = 0

    async def log_in(
        self, devices: Sequence[tuple[str, str]], password: str, sources: Sequence[str], width: int
    ) -> None:
        """Each user and device in turn from another source, so many at a time."""
        slots = asyncio.Semaphore(width)

        async def one(number: int, user: str, device: str) -> None:
            source = sources[number % len(sources)]
            async with slots:
                token = await log_in(self.address, user, device, password, source)
                self.tokens.append((token, source))

        await asyncio.gather(*(one(n, user, device) for n, (user, device) in enumerate(devices)))

    async def storm(self, from_one_address: str) -> None:
        """All drop their connections and come back at once; who is refused tries again."""
        for link in self.links:
            link.close()
        self.links = []
        await asyncio.gather(*(self._come(token, from_one_address) for token, _ in self.tokens))

    async def _come(self, token: str, source: str) -> None:
        for attempt in range(100):
            link = None
            try:
                link = await Link.connect(self.address, source)
                await authenticate(link, token)
                self.links.append(link)
                return
            except (AssertionError, *CLOSED):
                self.refused += 1
                if link is not None:
                    link.close()
                await asyncio.sleep(min(0.1 * 2**attempt, 2))
        raise AssertionError("not let in")

    async def alive(self) -> int:
        """How many are answered."""

        async def answers(link: Link) -> bool:
            try:
                return (await asyncio.wait_for(link.call(1), PATIENCE_S)).command != ERROR
            except CLOSED:
                return False

        return sum(await asyncio.gather(*(answers(link) for link in self.links)))

    async def leave(self) -> None:
        for link in self.links:
            link.close()
        self.links = []


# What it costs the servers.


def peak_mib(pid: int) -> float:
    """The most memory that the process had so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no such process: {pid}")


def reset_peak(pid: int) -> None:
    """From now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
