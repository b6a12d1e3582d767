"""A faulty TCP link for tests: put between two processes it delays, slows, holds or cuts.

Bytes pass through two pumps a connection, one a direction ("up" is towards the target). Every
fault can be set and cleared at any moment and acts on the connections that are open then.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable

# Gets direction ("up" or "down") and the bytes about to be passed on; True drops the connection
# before any of them is.
DropWhen = Callable[[str, bytes], bool]
# Gets the same; True holds all connections from these bytes on.
HoldWhen = Callable[[str, bytes], bool]
# Gets the same; what it answers is passed on in their place.
Change = Callable[[str, bytes], bytes]

CHUNK = 16384
# One piece is under way at a time, so a delayed link needs large ones to stay fast.
LATE_CHUNK = 1 << 20


class Proxy:
    def __init__(self, target: str) -> None:
        """target is host:port. The proxy listens at once, at .address."""
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._refusing = False
        self.bytes_per_s: float = 0
        self.delay_s: float = 0
        self.drop_when: DropWhen | None = None
        self.hold_when: HoldWhen | None = None
        self.change: Change | None = None
        self.passed = {"up": 0, "down": 0}
        self.accepted = 0
        self.dropped = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    # Faults.

    def cut(self) -> None:
        """Resets every connection and refuses new ones until heal()."""
        self._refusing = True
        self.drop()

    def refuse(self) -> None:
        """Refuses new connections, leaves the open ones alone."""
        self._refusing = True

    def drop(self) -> None:
        """Resets the connections that are open now."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.reset()

    def hold(self) -> None:
        """Passes nothing on, and says nothing about it, until release() or heal()."""
        self._open.clear()

    def release(self) -> None:
        """Ends a hold, and leaves the other faults."""
        self.hold_when = None
        self._open.set()

    @property
    def is_holding(self) -> bool:
        return not self._open.is_set()

    def slow(self, bytes_per_s: float) -> None:
        """For each connection and direction."""
        self.bytes_per_s = bytes_per_s

    def delay(self, seconds: float) -> None:
        """Every piece arrives this much later; what comes meanwhile makes one piece."""
        self.delay_s = seconds

    def heal(self) -> None:
        self._refusing = False
        self.bytes_per_s = 0
        self.delay_s = 0
        self.drop_when = None
        self.hold_when = None
        self.change = None
        self._open.set()

    @property
    def connections(self) -> int:
        with self._lock:
            return len(self._links)

    def close(self) -> None:
        self._refusing = True
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self._open.set()
        self.drop()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside.

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._refusing:
                _reset(client)
                continue
            try:
                target = socket.create_connection(self._target, 5)
            except OSError:
                _reset(client)
                continue
            target.settimeout(None)
            link = _Link(self, client, target)
            with self._lock:
                self._links.add(link)
            link.start()
            if self._refusing:
                link.reset()

    def _forget(self, link: _Link) -> None:
        with self._lock:
            self._links.discard(link)

    def _pass(self, direction: str, data: bytes) -> bytes | None:
        """Waits as the present faults demand; what is to be written, None when the connection is
        to be dropped."""
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.bytes_per_s:
            time.sleep(len(data) / self.bytes_per_s)
        hold_when = self.hold_when
        if hold_when is not None and hold_when(direction, data):
            self.hold()
        self._open.wait()
        drop_when = self.drop_when
        if drop_when is not None and drop_when(direction, data):
            with self._lock:
                self.dropped += 1
            return None
        change = self.change
        if change is not None:
            data = change(direction, data)
        with self._lock:
            self.passed[direction] += len(data)
        return data


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, target: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._target = target
        self._pumping = 2
        self._lock = threading.Lock()
        for end in (client, target):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for direction, source, sink in (
            ("up", self._client, self._target),
            ("down", self._target, self._client),
        ):
            arguments = (direction, source, sink)
            threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def reset(self) -> None:
        """Both pumps notice: their sockets are shut, and closed by the last of them."""
        for end in (self._client, self._target):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _pump(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(self._chunk()):
                passed = self._proxy._pass(direction, data)
                if passed is None:
                    self.reset()
                    return
                sink.sendall(passed)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()
        finally:
            self._finish()

    def _chunk(self) -> int:
        """Small pieces when slow, so that the rate is even and healing is quick."""
        rate = self._proxy.bytes_per_s
        if rate:
            return max(1, min(CHUNK, int(rate / 20)))
        return LATE_CHUNK if self._proxy.delay_s else CHUNK

    def _finish(self) -> None:
        with self._lock:
            self._pumping -= 1
            if self._pumping:
                return
        self._client.close()
        self._target.close()
        self._proxy._forget(self)


def _reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
