"""A tiny Redis client for tests: one connection, one command at a time."""

from __future__ import annotations

import socket
from typing import Any


class RedisError(Exception):
    """Redis answered with an error."""


class RedisProbe:
    def __init__(
        self, host: str, port: int, user: tuple[str, str] | None = None, timeout_s: float = 5.0
    ) -> None:
        """user: name and password; without it the connection is nobody's."""
        self._socket = socket.create_connection((host, port), timeout_s)
        self._reader = self._socket.makefile("rb")
        if user:
            try:
                self.command("AUTH", *user)
            except BaseException:
                self.close()
                raise

    def command(self, *words: str | bytes | int) -> Any:
        """Integers, str for simple strings, bytes for bulk strings, None, or a list of these."""
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        request = b"*%d\r\n" % len(parts)
        request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(request)
        return self._answer()

    def keys(self, pattern: str = "*") -> list[str]:
        return sorted(key.decode() for key in self.command("KEYS", pattern))

    def _answer(self) -> Any:
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        raise RedisError(f"unexpected answer {line!r}")

    def _bulk(self, size: int) -> bytes | None:
        if size < 0:
            return None
        data = self._reader.read(size + 2)
        if len(data) != size + 2:
            raise EOFError("Redis closed the connection")
        return data[:-2]

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def __enter__(self) -> RedisProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
