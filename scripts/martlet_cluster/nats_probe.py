"""A tiny NATS client for tests: it watches from outside, as a plain subscriber, and asks the
broker's monitoring pages. One thread reads; everything else is called by the test."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from martlet_cluster.nats import Nats
from martlet_cluster.patience import longer


@dataclass(frozen=True)
class NatsMessage:
    subject: str
    reply: str
    headers: bytes
    data: bytes


@dataclass
class Subscription:
    """Messages in the order of their arrival; read them with NatsProbe.collect."""

    sid: int
    subject: str
    messages: list[NatsMessage] = field(default_factory=list)


class NatsProbe:
    def __init__(self, server: Nats, timeout_s: float = 5.0, role: str = "") -> None:
        """role: what it may do (roles.py); without one it is the operator's."""
        self._server = server
        host, port = server.address.split(":")
        self._socket = socket.create_connection((host, int(port)), timeout_s)
        self._socket.settimeout(None)
        # A request is several small writes, each of which would wait for a delayed ACK.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        self._timeout_s = timeout_s
        self._sids = itertools.count(1)
        self._subscriptions: dict[int, Subscription] = {}
        self._changed = threading.Condition()
        self._pongs = 0
        self._failure: str | None = None
        self._violations: list[str] = []
        self._reader.readline()
        options = {"verbose": False, "pedantic": False, "headers": True, "name": "probe"}
        if role:
            options |= {"user": role, "pass": server.password_for(role)}
        self._send(b"CONNECT " + json.dumps(options).encode())
        self._thread = threading.Thread(target=self._read, name="nats-probe", daemon=True)
        self._thread.start()
        self.flush()

    def subscribe(self, subject: str) -> Subscription:
        """When this returns the broker knows the subscription."""
        subscription = Subscription(next(self._sids), subject)
        with self._changed:
            self._subscriptions[subscription.sid] = subscription
        self._send(f"SUB {subject} {subscription.sid}".encode())
        self.flush()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._send(f"UNSUB {subscription.sid}".encode())
        self.flush()

    def publish(self, subject: str, data: bytes = b"", reply: str = "") -> None:
        head = f"PUB {subject} {reply} {len(data)}" if reply else f"PUB {subject} {len(data)}"
        self._send(head.encode() + b"\r\n" + data)

    def request(self, subject: str, data: bytes = b"", timeout_s: float = 5.0) -> NatsMessage:
        inbox = self.subscribe(f"_INBOX.probe.{time.monotonic_ns()}")
        try:
            self.publish(subject, data, inbox.subject)
            return self.collect(inbox, 1, timeout_s)[0]
        finally:
            self.unsubscribe(inbox)

    def flush(self) -> None:
        """Everything sent before has been seen by the broker, everything it had sent is here."""
        with self._changed:
            wanted = self._pongs + 1
        self._send(b"PING")
        self._wait(lambda: self._pongs >= wanted, self._timeout_s, "PONG")

    def violations(self) -> list[str]:
        """What the broker has refused of all that was sent before; told once."""
        self.flush()
        with self._changed:
            told, self._violations = self._violations, []
        return told

    def collect(
        self, subscription: Subscription, count: int, timeout_s: float = 10.0
    ) -> list[NatsMessage]:
        """Waits until at least count messages have come; the answer is all that have."""
        what = f"{count} messages on {subscription.subject}"
        self._wait(lambda: len(subscription.messages) >= count, timeout_s, what)
        with self._changed:
            return list(subscription.messages)

    def monitor(self, page: str) -> Any:
        return self._server.monitor(page)

    def connections(self) -> list[dict[str, Any]]:
        """All connections with their names and subscriptions (subscriptions_list)."""
        connections: list[dict[str, Any]] = self.monitor("connz?subs=1&limit=1024")["connections"]
        return connections

    def subscriptions_of(self, connection_name: str) -> list[str]:
        """Subjects that connections with this in their name listen to."""
        subjects = []
        for connection in self.connections():
            if connection_name in connection.get("name", ""):
                subjects += connection.get("subscriptions_list", [])
        return sorted(subjects)

    def streams(self) -> dict[str, dict[str, Any]]:
        """JetStream's streams: name to state (messages, bytes, first_seq, last_seq …)."""
        accounts = self.monitor("jsz?accounts=1&streams=1").get("account_details", [])
        details = [stream for account in accounts for stream in account.get("stream_detail", [])]
        return {stream["name"]: stream["state"] for stream in details}

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(self._timeout_s)
        self._reader.close()
        self._socket.close()

    def _send(self, line: bytes) -> None:
        self._socket.sendall(line + b"\r\n")

    def _wait(self, predicate: Any, timeout_s: float, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: predicate() or self._failure, longer(timeout_s)):
                raise TimeoutError(f"no {what} from NATS within {timeout_s:g} s")
            if not predicate():
                raise ConnectionError(f"waiting for {what}: {self._failure}")

    def _read(self) -> None:
        try:
            while line := self._reader.readline():
                self._handle(line.split())
            failure = "NATS closed the connection"
        except (OSError, ValueError) as error:
            failure = str(error)
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _handle(self, words: list[bytes]) -> None:
        verb = words[0].upper() if words else b""
        if verb == b"PING":
            self._send(b"PONG")
        elif verb == b"PONG":
            with self._changed:
                self._pongs += 1
                self._changed.notify_all()
        elif verb in (b"MSG", b"HMSG"):
            self._take(words[1:], with_headers=verb == b"HMSG")
        elif verb == b"-ERR" and words[1:3] == [b"'Permissions", b"Violation"]:
            with self._changed:
                self._violations.append(b" ".join(words[1:]).decode())
        elif verb == b"-ERR":
            raise ValueError(b" ".join(words).decode())

    def _take(self, words: list[bytes], with_headers: bool) -> None:
        """Subject, sid, reply if any, size of the headers if any, size."""
        sizes = 2 if with_headers else 1
        reply = words[2].decode() if len(words) > 2 + sizes else ""
        total = int(words[-1])
        head = int(words[-2]) if with_headers else 0
        payload = self._reader.read(total + 2)[:-2]
        message = NatsMessage(words[0].decode(), reply, payload[:head], payload[head:])
        with self._changed:
            self._subscriptions[int(words[1])].messages.append(message)
            self._changed.notify_all()

    def __enter__(self) -> NatsProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
