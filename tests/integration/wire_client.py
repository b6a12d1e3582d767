"""A client of the edge for tests that need every byte in their hands: frames, mostly in JSON."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support import longer

HEADER = struct.Struct(">2sBBHHII")  # magic, version, codec, command, flags, request id, length
FLATBUFFERS, JSON = 0, 1

PING, REGISTER, LOGIN, AUTH, REFRESH, GOODBYE = 1, 2, 3, 4, 5, 6
SEND, READ, SYNC, FETCH, HISTORY = 16, 17, 32, 33, 34
GROUP_CREATE, GROUP_INVITE, GROUP_JOIN, GROUP_LEAVE = 48, 49, 50, 51
GROUP_REMOVE, GROUP_SET_ROLE, GROUP_DISBAND, GROUP_INFO, GROUP_LIST = 52, 53, 54, 55, 56
TYPING, DEVICES, SIGN_OUT = 64, 72, 73
PONG, ACK, ERROR = 0x8001, 0x8010, 0xFFFF
MESSAGE_EVENT, READ_EVENT, STORED_EVENT, TYPING_EVENT = 0x4001, 0x4002, 0x4003, 0x4004
RESYNC_EVENT, KICKED_EVENT = 0x4010, 0x4011


def make_frame(
    command: int,
    body: bytes | dict[str, Any] = b"",
    request_id: int = 7,
    *,
    codec: int = JSON,
    magic: bytes = b"MT",
    version: int = 1,
    flags: int = 0,
    length: int | None = None,
) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(data) if length is None else length
    return HEADER.pack(magic, version, codec, command, flags, request_id, size) + data


def new_message_id() -> str:
    """A UUIDv7: the server looks a message with any other id up in the database."""
    noise = secrets.token_hex(9)
    return f"{time.time_ns() // 1_000_000:012x}7{noise[:3]}8{noise[3:18]}"


@dataclass
class Frame:
    command: int
    request_id: int
    body: dict[str, Any] = field(default_factory=dict)


class WireClient:
    """Its first frame should be JSON, so that answers are."""

    def __init__(
        self,
        address: str,
        timeout_s: float = 20,
        *,
        tls: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
        preface: bytes = b"",
    ) -> None:
        """preface: what a proxy says first, before TLS."""
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=longer(timeout_s))
        self.socket.sendall(preface)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host, session=session)
        self.requests = 1000
        self.passed: list[Frame] = []  # events and other answers that were not waited for

    def close(self) -> None:
        self.socket.close()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _read_exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            chunk = self.socket.recv(size - len(data))
            if not chunk:
                return None
            data += chunk
        return data

    def read(self) -> Frame | None:
        """The next frame, None when the edge has closed."""
        try:
            header = self._read_exactly(HEADER.size)
        except ConnectionResetError:
            return None
        if header is None:
            return None
        _, _, codec, command, _, request_id, length = HEADER.unpack(header)
        body = self._read_exactly(length)
        if codec != JSON or body is None:
            return Frame(command, request_id)
        return Frame(command, request_id, json.loads(body))

    def read_answer(self, request_id: int) -> Frame | None:
        """Passes over events and other answers."""
        deadline = time.monotonic() + longer(20)
        while time.monotonic() < deadline:
            frame = self.read()
            if frame is None or frame.request_id == request_id:
                return frame
            self.passed.append(frame)
        raise AssertionError(f"no answer to request {request_id}")

    def wait_event(self, is_it: Callable[[Frame], bool], timeout_s: float = 30) -> Frame:
        """One that was passed over already, or that is still to come."""
        deadline = time.monotonic() + longer(timeout_s)
        while not any(is_it(frame) for frame in self.passed):
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            frame = self.read()
            assert frame is not None, "the edge closed the connection"
            self.passed.append(frame)
        return next(frame for frame in self.passed if is_it(frame))

    def call(self, command: int, **body: Any) -> Frame:
        self.requests += 1
        self.write(make_frame(command, body, self.requests))
        answer = self.read_answer(self.requests)
        assert answer is not None, "the edge closed the connection"
        return answer

    def is_alive(self) -> bool:
        self.requests += 1
        self.write(make_frame(PING, {}, self.requests))
        answer = self.read_answer(self.requests)
        return answer is not None and answer.command == PONG

    def is_closed_by_peer(self) -> bool:
        while True:
            if self.read() is None:
                return True

    def login(self, user: str, password: str, device: str, *, register: bool = False) -> str:
        """The access token of a session that is authenticated now."""
        if register:
            self.call(REGISTER, user=user, password=password)
        tokens = self.call(LOGIN, user=user, device=device, password=password)
        assert tokens.command != ERROR, tokens.body
        token = str(tokens.body["access_token"])
        answer = self.call(AUTH, access_token=token)
        assert answer.command != ERROR, answer.body
        return token
