"""One device on a raw connection, by docs/protocol.md: it repeats nothing, fills no gaps and hides
nothing. A thread reads, so that many requests may be unanswered and every event is seen."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from support import longer
from wire_client import (
    ACK,
    AUTH,
    ERROR,
    FETCH,
    HISTORY,
    LOGIN,
    MESSAGE_EVENT,
    PING,
    REGISTER,
    SEND,
    SYNC,
    Frame,
    WireClient,
    make_frame,
    new_message_id,
)

PASSWORD = "correct horse"
PATIENCE_S = 30.0
PULSE_S = 5.0


def age_ms(message_id: str) -> int:
    """Since it was made."""
    return max(0, time.time_ns() // 1_000_000 - int(message_id[:12], 16))


def insist(attempt: Callable[[], Frame]) -> Frame:
    """As a client does: repeats while the refusal is retryable."""
    deadline = time.monotonic() + longer(PATIENCE_S)
    while True:
        answer = attempt()
        if answer.command != ERROR:
            return answer
        assert answer.body["retryable"] and time.monotonic() < deadline, answer.body
        time.sleep(max(answer.body["retry_after_ms"], 50) / 1000)


def register(address: str, *users: str) -> None:
    client = WireClient(address)
    for user in users:
        insist(lambda user=user: client.call(REGISTER, user=user, password=PASSWORD))
    client.close()


class Device:
    """Logged in when it is made, and kept alive until it is closed."""

    def __init__(self, address: str, user: str, device: str, password: str = PASSWORD) -> None:
        self.user, self.device = user, device
        self._wire = WireClient(address, timeout_s=longer(PATIENCE_S))
        self._wire.socket.settimeout(None)
        self._requests = itertools.count(1)
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._answers: dict[int, Frame] = {}
        self._events: list[Frame] = []
        self._closed = False
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._read, self._pulse)]
        for thread in self._threads:
            thread.start()
        tokens = insist(lambda: self.call(LOGIN, user=user, device=device, password=password))
        self.refresh_token = str(tokens.body["refresh_token"])
        self.access_token = str(tokens.body["access_token"])
        insist(lambda: self.call(AUTH, access_token=self.access_token))

    # Requests.

    def ask(self, command: int, **body: Any) -> int:
        """Sends a request and waits for nothing; the answer is its number."""
        request_id = next(self._requests)
        self._write(make_frame(command, body, request_id))
        return request_id

    def answer(self, request_id: int) -> Frame:
        self._wait(lambda: request_id in self._answers, f"an answer to request {request_id}")
        return self._answers[request_id]

    def call(self, command: int, **body: Any) -> Frame:
        return self.answer(self.ask(command, **body))

    def ask_send(self, to: str, text: str, message_id: str, **more: Any) -> int:
        content = {"kind": "Text", "text": text}
        return self.ask(SEND, to_user=to, client_msg_id=message_id, content=content, **more)

    def send(self, to: str, text: str, message_id: str | None = None, **more: Any) -> Frame:
        """Once; an Ack or an Error."""
        return self.answer(self.ask_send(to, text, message_id or new_message_id(), **more))

    def deliver(
        self, to: str, text: str, message_id: str | None = None, *, age_known: bool = True
    ) -> dict[str, Any]:
        """As a client does, until it is acknowledged. The body of the Ack."""
        message = message_id or new_message_id()

        def attempt() -> Frame:
            return self.send(
                to, text, message, **({"age_ms": age_ms(message)} if age_known else {})
            )

        answer = insist(attempt)
        assert answer.command == ACK, answer
        return answer.body

    def sync(self, token: str | None = None) -> tuple[list[dict[str, Any]], str, int]:
        """All pages of one SYNC: conversations, new token, number of requests."""
        conversations: list[dict[str, Any]] = []
        page: str | None = None
        for requests in itertools.count(1):
            answer = self.call(SYNC, token=token, page=page)
            assert answer.command != ERROR, answer.body
            assert not answer.body["behind"], answer.body
            conversations += answer.body.get("conversations", [])
            page = answer.body.get("next_page")
            if page is None:
                return conversations, answer.body["token"], requests
        raise AssertionError("pages without end")

    def fetch(self, ranges: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
        """Until nothing remains: messages in the order of arrival, number of requests."""
        messages: list[dict[str, Any]] = []
        requests = 0
        while ranges:
            answer = self.call(FETCH, ranges=ranges)
            assert answer.command != ERROR, answer.body
            requests += 1
            messages += answer.body.get("messages", [])
            ranges = answer.body.get("remaining", [])
        return messages, requests

    def history(self, conversation: str) -> list[dict[str, Any]]:
        """All of it, oldest first."""
        messages: list[dict[str, Any]] = []
        while True:
            last = messages[-1]["seq"] if messages else "0"
            answer = self.call(
                HISTORY, conversation=conversation, **{"from": last}, direction="Forward", limit=200
            )
            assert answer.command != ERROR, answer.body
            messages += answer.body.get("messages", [])
            if not answer.body["more"]:
                return messages

    # Events.

    def events(self, command: int) -> list[dict[str, Any]]:
        """Those of this kind so far, as they came."""
        with self._changed:
            return [event.body for event in self._events if event.command == command]

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """The MessageEvents so far, as they came."""
        return [e for e in self.events(MESSAGE_EVENT) if e["conversation"] == conversation]

    def wait_messages(self, conversation: str, count: int) -> list[dict[str, Any]]:
        what = f"{count} messages of {conversation}"
        self._wait(lambda: len(self.messages(conversation)) >= count, what)
        return self.messages(conversation)

    def wait_message(self, conversation: str, seq: int) -> list[dict[str, Any]]:
        """All that came by the time this one had."""

        def came() -> bool:
            return any(int(m["seq"]) == seq for m in self.messages(conversation))

        self._wait(came, f"{conversation} seq {seq}")
        return self.messages(conversation)

    def wait_events(self, command: int, count: int) -> list[dict[str, Any]]:
        self._wait(lambda: len(self.events(command)) >= count, f"{count} events {command:#x}")
        return self.events(command)

    def wait_closed(self) -> None:
        """By the edge."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._closed, longer(PATIENCE_S)), "still open"

    def ping(self) -> None:
        """What the edge wrote before is here."""
        self.call(PING)

    def close(self) -> None:
        self._ended.set()
        try:
            self._wire.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for thread in self._threads:
            thread.join(longer(PATIENCE_S))
        self._wire.close()

    # Inside.

    def _write(self, frame: bytes) -> None:
        with self._writing:
            self._wire.write(frame)

    def _pulse(self) -> None:
        """A PING without a number is not answered."""
        while not self._ended.wait(PULSE_S):
            try:
                self._write(make_frame(PING, {}, 0))
            except OSError:
                return

    def _wait(self, predicate: Callable[[], bool], what: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: predicate() or self._closed, longer(PATIENCE_S))
            if not predicate():
                why = "the connection is closed" if self._closed else f"not in {PATIENCE_S:g} s"
                raise AssertionError(f"{self.user}/{self.device} lacks {what}: {why}")

    def _read(self) -> None:
        while True:
            try:
                frame = self._wire.read()
            except OSError:
                frame = None
            with self._changed:
                if frame is None:
                    self._closed = True
                elif frame.request_id:
                    self._answers[frame.request_id] = frame
                else:
                    self._events.append(frame)
                self._changed.notify_all()
            if frame is None:
                return
