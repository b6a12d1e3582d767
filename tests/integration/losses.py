"""Messages that a broker sent and an edge never saw: a change for a Proxy between the two."""

from __future__ import annotations

import re
from collections.abc import Callable

# A message of NATS: subject, subscription, maybe a subject for answers, size, payload.
MSG = re.compile(rb"MSG (\S+) \d+ (?:\S+ )?(\d+)\r\n")

# Gets subject and payload.
IsIt = Callable[[str, bytes], bool]


class Loss:
    """Takes out what is to be lost, and remembers the subjects of it. For Proxy.change."""

    def __init__(self, is_it: IsIt) -> None:
        self._is_it = is_it
        self.taken: list[str] = []

    def __call__(self, direction: str, data: bytes) -> bytes:
        return self._take_out(data) if direction == "down" else data

    def _take_out(self, data: bytes) -> bytes:
        kept, place = b"", 0
        while match := MSG.search(data, place):
            end = match.end() + int(match[2]) + 2
            is_whole = data[end - 2 : end] == b"\r\n"
            if is_whole and self._is_it(match[1].decode(), data[match.end() : end - 2]):
                self.taken.append(match[1].decode())
                kept += data[place : match.start()]
            else:
                kept += data[place:end]
            place = end
        return kept + data[place:]


class Break:
    """Breaks the connection inside of the first message that is at least so long. For Proxy.change."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._is_inside = False
        self.is_done = False

    def __call__(self, direction: str, data: bytes) -> bytes:
        if direction == "up" or self.is_done:
            return data
        if self._is_inside and not data.startswith((b"MSG", b"HMSG", b"PING", b"PONG", b"+OK")):
            self.is_done = True
            raise ConnectionResetError("inside of a message")
        match = MSG.search(data)
        if not self._is_inside and match and int(match[2]) >= self._least:
            self._is_inside = True
            return data[: match.end() + 100]
        return data
