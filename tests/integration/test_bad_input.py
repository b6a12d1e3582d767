"""Whatever a client sends, it gets a clear error, the edges live, and others notice nothing: fifty
users on both edges write meanwhile."""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import ROOT
from traffic import TrafficTest
from wire_client import (
    ACK,
    AUTH,
    ERROR,
    FETCH,
    FLATBUFFERS,
    GROUP_CREATE,
    GROUP_INFO,
    GROUP_INVITE,
    GROUP_JOIN,
    HEADER,
    HISTORY,
    LOGIN,
    PING,
    READ,
    SEND,
    SYNC,
    TYPING,
    Frame,
    WireClient,
    make_frame,
    new_message_id,
)

PASSWORD = "correct horse"
EMPTY_TABLE = bytes.fromhex("080000000400040004000000")  # a FlatBuffer without any field
TEXT = {"kind": "Text", "text": "x"}


def message(to: str = "bob", content: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"to_user": to, "client_msg_id": new_message_id(), "content": content or TEXT}


def change(group: str) -> dict[str, Any]:
    return {"group": group, "client_msg_id": new_message_id()}


def ranges(*spans: tuple[int, int], count: int = 1) -> dict[str, Any]:
    one = [{"conversation": "u:ann:bob", "from": str(a), "to": str(b)} for a, b in spans]
    return {"ranges": one * count}


def json_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def flatbuffer_send() -> bytes:
    """The body of the page's vector, to be damaged."""
    page = (ROOT / "docs/protocol.md").read_text()
    block = page.split("name: SEND in FlatBuffers", 1)[1].split("```", 1)[0]
    digits = "".join(block.split("frame:", 1)[1].split())
    return bytes.fromhex(digits)[16:]


def request_id(frame: bytes) -> int:
    return int.from_bytes(frame[8:12], "big")


BAD_UTF8_TEXT = json.dumps(message()).replace('"x"', '"\udcff"')
NESTED = '{"to_user":' + "[" * 1000 + "]" * 1000 + "}"

# Of a session without AUTH, which has a test of its own.
CODES_ELSEWHERE = {"NOT_AUTHENTICATED"}
# name: (one frame, code of the answer).
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "wrong magic": (lambda: make_frame(PING, magic=b"XX"), "BAD_MAGIC"),
    "wrong version": (lambda: make_frame(PING, version=9), "BAD_VERSION"),
    "unknown codec": (lambda: make_frame(PING, codec=9), "BAD_CODEC"),
    "undefined flags": (lambda: make_frame(PING, {}, flags=0x8000), "BAD_FLAGS"),
    "length over the limit": (lambda: make_frame(SEND, length=65_537), "BODY_TOO_LARGE"),
    "unknown command": (lambda: make_frame(4711, {}), "UNKNOWN_COMMAND"),
    "an answer from a client": (lambda: make_frame(ACK, {}), "UNKNOWN_COMMAND"),
    "truncated FlatBuffer": (
        lambda: make_frame(SEND, flatbuffer_send()[:-12], codec=FLATBUFFERS),
        "BAD_BODY",
    ),
    "FlatBuffer that does not verify": (
        lambda: make_frame(SEND, b"\xff" * 64, codec=FLATBUFFERS),
        "BAD_BODY",
    ),
    "FlatBuffer without required fields": (
        lambda: make_frame(SEND, EMPTY_TABLE, codec=FLATBUFFERS),
        "BAD_BODY",
    ),
    "bad UTF-8 in FlatBuffers": (
        lambda: make_frame(SEND, flatbuffer_send().replace(b"hi", b"h\xff"), codec=FLATBUFFERS),
        "BAD_BODY",
    ),
    "JSON without required fields": (lambda: make_frame(SEND, {"to_user": "bob"}), "BAD_BODY"),
    "JSON with an unknown field": (lambda: make_frame(PING, {"x": 1}), "BAD_BODY"),
    "no JSON": (lambda: make_frame(SEND, b"{"), "BAD_BODY"),
    "bad UTF-8 in JSON": (lambda: make_frame(SEND, json_text(BAD_UTF8_TEXT)), "BAD_BODY"),
    "JSON nested 1,000 deep": (lambda: make_frame(SEND, json_text(NESTED)), "BAD_BODY"),
    "no zstd": (lambda: make_frame(PING, b"no zstd", flags=1), "BAD_BODY"),
    "id with a dot": (lambda: make_frame(SEND, message("b.c")), "BAD_ID"),
    "id with a space": (lambda: make_frame(SEND, message("b c")), "BAD_ID"),
    "id with a wildcard": (lambda: make_frame(SEND, message("b*")), "BAD_ID"),
    "id that is a wildcard": (lambda: make_frame(SEND, message(">")), "BAD_ID"),
    "id of 65 characters": (lambda: make_frame(SEND, message("b" * 65)), "BAD_ID"),
    "conversation with a dot": (
        lambda: make_frame(READ, {"conversation": "u:a.b:c", "seq": "1"}),
        "BAD_ID",
    ),
    "text with U+0000": (
        lambda: make_frame(SEND, message(content={"kind": "Text", "text": "a\0b"})),
        "BAD_CONTENT",
    ),
    "content of another kind": (
        lambda: make_frame(SEND, message(content={"kind": "File", "text": "a"})),
        "BAD_CONTENT",
    ),
    "request id 0": (lambda: make_frame(SYNC, {}, 0), "BAD_REQUEST_ID"),
    "to an unknown user": (lambda: make_frame(SEND, message("nobody")), "NO_SUCH_USER"),
    "to a group": (
        lambda: make_frame(SEND, message() | {"to_user": None, "to_group": "g"}),
        "NO_SUCH_GROUP",
    ),
    "typing to a bad id": (
        lambda: make_frame(TYPING, {"to_group": "g.g"}),
        "BAD_ID",
    ),
    "typing to nobody": (lambda: make_frame(TYPING, {}), "BAD_BODY"),
    "a change of members as a message": (
        lambda: make_frame(SEND, message(content={"kind": "Members", "members": {}})),
        "BAD_CONTENT",
    ),
    "a new group's id with capitals": (
        lambda: make_frame(GROUP_CREATE, change("Team")),
        "BAD_ID",
    ),
    "a change of a group that does not exist": (
        lambda: make_frame(GROUP_JOIN, change("g")),
        "NO_SUCH_GROUP",
    ),
    "101 users at once": (
        lambda: make_frame(GROUP_INVITE, change("g") | {"users": [f"u{n}" for n in range(101)]}),
        "BAD_RANGE",
    ),
    "who is in a group of others": (lambda: make_frame(GROUP_INFO, {"group": "g"}), "NOT_MEMBER"),
    "history of others": (
        lambda: make_frame(HISTORY, {"conversation": "u:bob:carl"}),
        "NOT_MEMBER",
    ),
    "range reversed": (lambda: make_frame(FETCH, ranges((9, 3))), "BAD_RANGE"),
    "range from zero": (lambda: make_frame(FETCH, ranges((0, 3))), "BAD_RANGE"),
    "range huge": (lambda: make_frame(FETCH, ranges((1, 2**53 - 1))), "BAD_RANGE"),
    "range beyond the last possible seq": (
        lambda: make_frame(FETCH, ranges((2**53, 2**53))),
        "BAD_RANGE",
    ),
    "1,001 ranges": (lambda: make_frame(FETCH, ranges((1, 1), count=1001)), "BAD_RANGE"),
    "somebody else's token": (
        lambda: make_frame(AUTH, {"access_token": BadInput.tokens["bob"]}),
        "ALREADY_AUTHENTICATED",
    ),
}


class Tokens:
    """Access tokens as persist would never sign them."""

    def __init__(self, key: Path) -> None:
        self.key = key
        self.now = int(time.time())

    def make(
        self, *, header: dict[str, Any] | None = None, key: Path | None = None, **claims: Any
    ) -> str:
        good = {"iss": "martlet", "aud": "martlet", "sub": "ann", "dev": "fresh", "jti": "j"}
        good |= {"iat": self.now - 10, "exp": self.now + 600}
        parts = [header or {"alg": "EdDSA", "kid": "k1", "typ": "JWT"}, good | claims]
        text = ".".join(self.encode(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self.encode(self.sign(text, key or self.key))}"

    @staticmethod
    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    @staticmethod
    def sign(text: str, key: Path) -> bytes:
        with tempfile.NamedTemporaryFile() as file:
            file.write(text.encode())
            file.flush()
            command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key)]
            done = subprocess.run([*command, "-in", file.name], capture_output=True, check=True)
            return done.stdout


class BadInput(TrafficTest):
    dispatchers = 1
    apis = 0
    tokens: dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.address = cls.cluster.edges[0].listen
        for user in ("bob", "carl", "ann"):
            client = WireClient(cls.address)
            cls.tokens[user] = client.login(user, PASSWORD, "d", register=True)
            client.close()

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.check_account)

    def session(self, user: str) -> WireClient:
        """Each of its own device, so that none replaces another."""
        client = WireClient(self.address)
        self.addCleanup(client.close)
        client.login(user, PASSWORD, secrets.token_hex(4))
        return client

    def counts(self) -> dict[str, float]:
        return self.cluster.edges[0].metrics()

    def counted(self, before: dict[str, float], series: str) -> float:
        return self.counts().get(series, 0) - before.get(series, 0)

    def expect_error(self, answer: Frame | None, code: str) -> None:
        assert answer is not None, "closed without an error"
        self.assertEqual(answer.command, ERROR, answer)
        if answer.body:
            self.assertEqual(answer.body["name"], code, answer)

    def test_every_documented_code_of_frames_and_bodies_has_a_case(self) -> None:
        page = (ROOT / "docs/protocol.md").read_text()
        rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \| (?:yes|no) \| (.*) \|$", page, re.M)
        documented = {
            name for code, name, text in rows if int(code) < 32 and "(reserved)" not in text
        }
        self.assertGreaterEqual(len(documented), 13)
        cases = {code for _, code in CASES.values()} | CODES_ELSEWHERE
        self.assertEqual(documented - cases, set())

    def test_every_case_has_its_code_its_end_and_its_count(self) -> None:
        page = (ROOT / "docs/protocol.md").read_text()
        documented = set(re.findall(r"^\| \d+ \| ([A-Z_]+) \| (?:yes|no) \|", page, re.M))
        closing = re.search(r"sends an `Error` and closes it after (.*?)\. After", page, re.S)
        assert closing is not None
        fatal = set(re.findall(r"`([A-Z_]+)`", closing.group(1)))
        witness = self.session("carl")
        for name, (make, code) in CASES.items():
            with self.subTest(name):
                self.assertIn(code, documented)
                client = self.session("ann")
                before = self.counts()
                frame = make()
                client.write(frame)
                if code in fatal:
                    self.expect_error(client.read(), code)
                    self.assertTrue(client.is_closed_by_peer())
                else:
                    self.expect_error(client.read_answer(request_id(frame)), code)
                    self.assertTrue(client.is_alive())
                closed = self.counted(before, 'martlet_edge_closes_total{reason="bad_frame"}')
                self.assertEqual(closed, 1 if code in fatal else 0)
                series = f'martlet_edge_errors_total{{code="{code.lower()}"}}'
                self.assertEqual(self.counted(before, series), 1)
                self.assertTrue(witness.is_alive())
        answer = witness.call(SEND, **message("carl"))
        self.assertEqual(answer.command, ACK, "notes to oneself are allowed")

    def test_a_frame_cut_short_ends_its_connection_alone(self) -> None:
        witness = self.session("carl")
        for cut in (5, HEADER.size, HEADER.size + 9):
            with self.subTest(cut):
                client = self.session("ann")
                client.write(make_frame(SEND, message())[:cut])
                client.socket.shutdown(socket.SHUT_WR)
                self.assertTrue(client.is_closed_by_peer())
                self.assertTrue(witness.is_alive())

    def test_nothing_is_taken_before_auth(self) -> None:
        read = {"conversation": "u:ann:bob"}
        bodies = {SEND: message(), READ: read, SYNC: {}, FETCH: ranges((1, 1)), HISTORY: read}
        client = WireClient(self.address)
        self.addCleanup(client.close)
        for command, body in bodies.items():
            self.expect_error(client.call(command, **body), "NOT_AUTHENTICATED")
        self.assertTrue(client.is_alive())

    def test_only_our_own_unexpired_tokens_are_taken(self) -> None:
        tokens = Tokens(self.cluster.directory / "keys/signing/k1.pem")
        other = Path(tempfile.mkdtemp()) / "other.pem"
        generate = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(other)]
        subprocess.run(generate, check=True)
        good = {"alg": "EdDSA", "kid": "k1", "typ": "JWT"}
        none = good | {"alg": "none"}
        unsigned = tokens.make(header=none).rsplit(".", 1)[0] + "."
        cases = {
            "expired": (tokens.make(exp=tokens.now - 1), "TOKEN_EXPIRED"),
            "wrong key": (tokens.make(key=other), "TOKEN_INVALID"),
            "unknown kid": (tokens.make(header=good | {"kid": "k9"}), "TOKEN_INVALID"),
            "alg none": (unsigned, "TOKEN_INVALID"),
            "alg none, signed": (tokens.make(header=none), "TOKEN_INVALID"),
            "wrong audience": (tokens.make(aud="others"), "TOKEN_INVALID"),
            "wrong issuer": (tokens.make(iss="others"), "TOKEN_INVALID"),
            "bad user": (tokens.make(sub="a.b"), "TOKEN_INVALID"),
            "garbage": ("garbage", "TOKEN_INVALID"),
        }
        client = WireClient(self.address)
        self.addCleanup(client.close)
        for name, (token, code) in cases.items():
            with self.subTest(name):
                self.expect_error(client.call(AUTH, access_token=token), code)
        answer = client.call(AUTH, access_token=tokens.make())
        self.assertNotEqual(answer.command, ERROR, answer)

    def test_a_wrong_password_and_an_unknown_user_are_not_told_apart(self) -> None:
        client = WireClient(self.address)
        self.addCleanup(client.close)
        for user in ("ann", "nobody"):
            answer = client.call(LOGIN, user=user, device="d", password="wrong wrong")
            self.expect_error(answer, "WRONG_PASSWORD")

    def test_random_bytes_and_damaged_frames_harm_nobody(self) -> None:
        witness = self.session("carl")
        good = make_frame(SEND, message())
        for _ in range(200):
            client = WireClient(self.address)
            damaged = bytearray(good)
            for _ in range(3):
                damaged[secrets.randbelow(len(damaged))] = secrets.randbelow(256)
            client.write(bytes(damaged) if secrets.randbelow(2) else secrets.token_bytes(200))
            client.close()
        self.assertTrue(witness.is_alive())


if __name__ == "__main__":
    unittest.main()
