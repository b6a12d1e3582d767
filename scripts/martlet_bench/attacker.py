"""The hostile clients of ./dev bench hostile, a process a kind: its configuration on the command line
as JSON, "attacking" on standard output when it has begun; it goes on until it is ended. The clients
are those of tests/integration/hostile.py, whose tests say what stops them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import hostile
from wire_client import AUTH, PING, SEND, make_frame

# They would have machines of their own: the servers go first.
NICE = 10
LONG_S = 3600.0
FLOODERS = 3
IDLE_STRANGERS = 1000
UNFINISHED = make_frame(AUTH, b"x" * 100, length=8192)
REST_S = 0.2  # between two attempts


@dataclass
class Scene:
    """tokens: by the name of the user, or of the user and the device."""

    address: str
    tokens: dict[str, str]
    sources: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def of(self, prefix: str) -> list[str]:
        return [token for name, token in self.tokens.items() if name.startswith(prefix)]


def begun() -> None:
    print("attacking", flush=True)


async def together(*clients: Coroutine[Any, Any, Any]) -> None:
    begun()
    await asyncio.gather(*clients)


async def flood(scene: Scene, token: str, more: hostile.Maker) -> None:
    """Again when it was closed."""
    while True:
        try:
            await hostile.Flood(scene.address, token, more).run(LONG_S)
        except (AssertionError, *hostile.CLOSED):
            pass
        await asyncio.sleep(REST_S)


async def deaf(scene: Scene, token: str) -> None:
    """Reads nothing but the first of what comes, comes back from time to time."""
    while True:
        try:
            link = await hostile.Link.connect(scene.address)
            await hostile.authenticate(link, token)
            await asyncio.sleep(5)
            link.close()
        except (AssertionError, *hostile.CLOSED):
            await asyncio.sleep(REST_S)


class Reader(asyncio.Protocol):
    """A session that takes what comes and does not look at it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(make_frame(AUTH, {"access_token": self._token}, 1))

    def data_received(self, data: bytes) -> None:
        pass


async def join(scene: Scene, tokens: list[str]) -> None:
    host, port = scene.address.rsplit(":", 1)
    loop = asyncio.get_running_loop()
    for number, token in enumerate(tokens):
        local = (scene.sources[number % len(scene.sources)], 0)
        await loop.create_connection(lambda t=token: Reader(t), host, int(port), local_addr=local)


async def try_tokens(scene: Scene, source: str) -> None:
    """Frames behind each other until the edge closes, and again."""
    frames = make_frame(AUTH, {"access_token": "a.bad.token"}, 2) * 50
    while True:
        try:
            link = await hostile.Link.connect(scene.address, source)
            await link.write(frames)
            await link.wait_end()
            link.close()
        except hostile.CLOSED:
            pass
        await asyncio.sleep(REST_S / 10)


# The kinds.


async def slow_readers(scene: Scene) -> None:
    feeder = flood(scene, scene.of("feeder")[0], hostile.sends("deaf"))
    await together(feeder, *(deaf(scene, token) for token in scene.of("deaf")))


async def good_frames(scene: Scene) -> None:
    names = [name for name in scene.tokens if name.startswith("flood")][:FLOODERS]
    await together(
        *(flood(scene, scene.tokens[n], hostile.sends(n.split("/")[0])) for n in names)
    )


async def bad_frames(scene: Scene) -> None:
    makers = [hostile.same(*what) for what in ((PING, {}), (4711, {}), (SEND, b"{"))]
    tokens = scene.of("flood")[:FLOODERS]
    await together(*(flood(scene, t, m) for t, m in zip(tokens, makers, strict=True)))


async def typists(scene: Scene) -> None:
    maker = hostile.typing("deaf")
    await together(*(flood(scene, token, maker) for token in scene.of("flood")[:FLOODERS]))


async def half_open(scene: Scene) -> None:
    strangers = hostile.Strangers(scene.address, IDLE_STRANGERS, "127.0.0.30", UNFINISHED)
    await join(scene, scene.of("herd")[:500])
    await together(strangers.stay())


async def storm(scene: Scene) -> None:
    herd = hostile.Herd(scene.address)
    herd.tokens = [(token, "") for token in scene.of("herd")]
    begun()
    while True:
        for source in scene.sources:
            await herd.storm(source)


async def bad_tokens(scene: Scene) -> None:
    await together(*(try_tokens(scene, source) for source in scene.sources))


async def garbage(scene: Scene) -> None:
    data = b"GET / HTTP/1.1\r\n\r\n"
    await together(*(hostile.garbage(scene.address, data, LONG_S, s) for s in scene.sources))


async def comes_and_goes(scene: Scene, token: str) -> None:
    """Each time the edge asks for all the user's groups and listens to them."""
    while True:
        try:
            link = await hostile.Link.connect(scene.address)
            await hostile.authenticate(link, token)
            link.close()
        except (AssertionError, *hostile.CLOSED):
            pass
        await asyncio.sleep(REST_S)


async def many_groups(scene: Scene) -> None:
    first, *others = scene.of("joiner")
    writer = flood(scene, first, hostile.group_sends(scene.groups))
    await together(writer, *(comes_and_goes(scene, token) for token in others))


async def large_group(scene: Scene) -> None:
    """500 of its members are online."""
    await join(scene, scene.of("herd")[:500])
    await together(flood(scene, scene.of("leader")[0], hostile.group_sends(["large"])))


KINDS: dict[str, Callable[[Scene], Coroutine[Any, Any, None]]] = {
    kind.__name__: kind
    for kind in (
        slow_readers,
        good_frames,
        bad_frames,
        typists,
        half_open,
        storm,
        bad_tokens,
        garbage,
        many_groups,
        large_group,
    )
}


def main() -> None:
    config = json.loads(sys.stdin.readline())
    os.nice(NICE)
    asyncio.run(KINDS[config.pop("kind")](Scene(**config)))


if __name__ == "__main__":
    main()
