"""Ten thousand texts that people wrote, sent by fifty martlet processes on both edges in two hundred
conversations, while each service and each server is killed once. What each process printed and
what the database has is what was sent: byte for byte, in order, and nothing twice."""

from __future__ import annotations

import collections
import itertools
import json
import random
import signal
import subprocess
import unittest
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import flat_table
import fortunes
import swarm
from support import ClusterTest, chosen_seed, new_directory, wait_until

from martlet_cluster.tool import Tool

ALONE = True
TIMEOUT_S = 400

PEOPLE = [f"user{number:02}" for number in range(50)]
REACH = 4  # each with the next four of the ring: 200 conversations
MESSAGES = 10_000
# The edges last: whoever lost one stays at the other.
VICTIMS = (
    "dispatcher-1",
    "persist-1",
    "redis",
    "nats",
    "dispatcher-2",
    "postgres",
    "api-1",
    "edge-1",
    "edge-2",
)
LOGINS_AT_ONCE = 4
ON_THEIR_WAY = 200  # written at once before a death

ROWS = """
SELECT c.name, m.seq, m.sender, replace(m.client_msg_id::text, '-', ''), m.content
FROM messages m JOIN conversations c ON c.id = m.conversation_id ORDER BY c.name, m.seq;
"""


@dataclass(frozen=True)
class Message:
    """In its place, as a process printed it or the database has it."""

    seq: int
    sender: str
    id: str
    text: bytes


Conversations = dict[str, list[Message]]


def text_of(content: bytes) -> bytes:
    """The text of a Content, see schemas/client.fbs."""
    table = flat_table.root(content)
    return table.text(1).encode()


def rows_of(rows: list[list[str]]) -> Conversations:
    """The rows of ROWS."""
    found: Conversations = {}
    for conversation, seq, sender, message_id, content in rows:
        text = text_of(bytes.fromhex(content.removeprefix("\\x")))
        found.setdefault(conversation, []).append(Message(int(seq), sender, message_id, text))
    return found


class Person:
    """A martlet chat whose standard output is a file."""

    def __init__(self, name: str, edges: list[str], directory: Path) -> None:
        directory.mkdir()
        self.name = name
        self.sent: dict[str, list[bytes]] = {}  # by conversation
        self._tool = Tool(edges, directory / "home", ["--json"])
        self._output, self._errors = directory / "output.jsonl", directory / "errors"
        self._process: subprocess.Popen[bytes] | None = None
        self._counted = 0  # bytes of the output
        self._counts: collections.Counter[str] = collections.Counter()

    def log_in(self, password_file: Path) -> None:
        done = self._tool.run("login", self.name, "--password-file", str(password_file))
        assert done.code == 0, done.errors

    def start(self) -> None:
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._tool.command("chat", "--stay"),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
            )

    def write(self, to: str, text: str) -> None:
        line = json.dumps({"to": to, "text": text}, ensure_ascii=False)
        assert self._process and self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        conversation = ":".join(["u", *sorted((self.name, to))])
        self.sent.setdefault(conversation, []).append(text.encode())

    def count(self, kind: str) -> int:
        """Whole lines of this type so far."""
        with self._output.open("rb") as output:
            output.seek(self._counted)
            more = output.read()
        whole = more[: more.rfind(b"\n") + 1]
        self._counted += len(whole)
        self._counts.update(json.loads(line)["type"] for line in whole.splitlines())
        return self._counts[kind]

    def edge(self) -> str:
        """Where it was at first."""
        return str(self.lines()[0]["edge"])

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.read_bytes().splitlines()]

    def errors(self) -> str:
        return self._errors.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end, if it runs; its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(30)
        if self._process.stdin:
            self._process.stdin.close()
        return code


class RealTextTest(ClusterTest):
    people: ClassVar[dict[str, Person]]
    texts: ClassVar[fortunes.Texts]
    chance: ClassVar[random.Random]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        seed = chosen_seed()
        cls.chance = random.Random(seed)
        cls.texts = fortunes.choose(MESSAGES, seed)
        print(cls.texts.describe())
        swarm.add_accounts(cls.cluster, PEOPLE)
        directory = new_directory("people")
        password_file = directory / "password"
        password_file.write_text(swarm.PASSWORD + "\n")
        edges = [edge.listen for edge in cls.cluster.edges]
        cls.people = {
            name: Person(name, [*edges[n % 2 :], *edges[: n % 2]], directory / name)
            for n, name in enumerate(PEOPLE)
        }
        with ThreadPoolExecutor(LOGINS_AT_ONCE) as pool:
            list(pool.map(lambda person: person.log_in(password_file), cls.people.values()))
        for person in cls.people.values():
            cls.addClassCleanup(person.end, signal.SIGKILL)
            person.start()
        wait_until(lambda: cls.count("online") == len(PEOPLE), what="all are online")

    @classmethod
    def count(cls, kind: str) -> int:
        return sum(person.count(kind) for person in cls.people.values())

    def plan(self) -> list[tuple[Person, str]]:
        """Who writes to whom, in random order: both members of a conversation equally often."""
        pairs = swarm.ring(PEOPLE, REACH)
        ways = [way for one, other in pairs for way in ((one, other), (other, one))]
        self.assertEqual(MESSAGES % len(ways), 0)
        steps = [(self.people[one], other) for one, other in ways] * (MESSAGES // len(ways))
        self.chance.shuffle(steps)
        return steps

    def test_what_arrives_and_what_is_stored_is_what_was_sent(self) -> None:
        places = collections.Counter(person.edge() for person in self.people.values())
        self.assertEqual(places, {"edge-1": len(PEOPLE) // 2, "edge-2": len(PEOPLE) // 2})
        steps = list(zip(self.plan(), self.texts.chosen, strict=True))
        share = len(steps) // (len(VICTIMS) + 1)
        for turn, victim in enumerate(VICTIMS):
            self.write_through_a_death(victim, steps[turn * share : (turn + 1) * share])
        self.write(steps[len(VICTIMS) * share :])
        wait_until(lambda: self.count("acked") == MESSAGES, what="every message is acknowledged")
        wait_until(lambda: self.count("message") >= 2 * MESSAGES, what="both members have them all")
        wait_until(
            lambda: int(self.cluster.psql("SELECT count(*) FROM messages")[0][0]) >= MESSAGES,
            what="the database has them all",
        )
        codes = {person.end() for person in self.people.values()}
        self.assertEqual(codes, {0}, "exit codes")
        rows = rows_of(self.cluster.psql(ROWS))
        self.check_rows(rows)
        for person in self.people.values():
            self.check_output(person, rows)

    def write(self, steps: list[tuple[tuple[Person, str], str]]) -> None:
        for (person, to), text in steps:
            person.write(to, text)

    def write_through_a_death(
        self, victim: str, steps: list[tuple[tuple[Person, str], str]]
    ) -> None:
        """It dies while some are on their way, and others are written before it is back."""
        before = self.count("acked")
        moment = self.chance.randrange(100, len(steps) - ON_THEIR_WAY)
        self.write(steps[:moment])
        wait_until(lambda: self.count("acked") > before, what="an acknowledgement")
        self.write(steps[moment : moment + ON_THEIR_WAY])
        self.cluster.kill(victim)
        acked = self.count("acked") - before
        self.write(steps[moment + ON_THEIR_WAY :])
        self.cluster.start_member(victim)
        print(f"{victim}: killed when {acked} of {moment + ON_THEIR_WAY} were acknowledged")
        wait_until(
            lambda: self.count("acked") >= before + len(steps),
            what=f"all are acknowledged after the death of {victim}",
        )

    def check_rows(self, rows: Conversations) -> None:
        """Each conversation is there once, without gaps, each member's texts as they wrote them."""
        written = {name for person in self.people.values() for name in person.sent}
        self.assertEqual(set(rows), written)
        for conversation, messages in rows.items():
            seqs = [message.seq for message in messages]
            self.assertEqual(seqs, list(range(1, len(seqs) + 1)), conversation)
            for name in conversation.split(":")[1:]:
                texts = [message.text for message in messages if message.sender == name]
                self.check_equal(texts, self.people[name].sent[conversation], conversation)
        self.assertEqual(sum(map(len, rows.values())), MESSAGES)

    def check_equal(self, got: Sequence[Any], wanted: Sequence[Any], what: str) -> None:
        """Shows the first difference, and not pages of texts."""
        for place, (one, other) in enumerate(itertools.zip_longest(got, wanted), 1):
            if one != other:
                self.fail(f"{what}: at place {place} there is {one}, not {other}")

    def check_output(self, person: Person, rows: Conversations) -> None:
        """Line by line what the database has, and an acknowledgement for each own message."""
        shown: Conversations = {}
        acked: list[tuple[str, int, str]] = []
        for line in person.lines():
            if line["type"] == "acked":
                acked.append((line["conversation"], line["seq"], line["client_msg_id"]))
            elif line["type"] == "message":
                text = line["content"]["text"].encode()
                message = Message(line["seq"], line["sender"], line["client_msg_id"], text)
                shown.setdefault(line["conversation"], []).append(message)
            else:
                self.assertEqual(line["type"], "online", f"{person.name}: {line}")
        own = {name: rows[name] for name in rows if person.name in name.split(":")}
        self.assertEqual(set(shown), set(own), person.name)
        for name, messages in own.items():
            self.check_equal(shown[name], messages, f"{name} at {person.name}")
        places = [
            (name, message.seq, message.id)
            for name, messages in own.items()
            for message in messages
            if message.sender == person.name
        ]
        self.assertEqual(sorted(acked), sorted(places), person.name)
        self.assertEqual(person.errors(), "", person.name)


if __name__ == "__main__":
    unittest.main()
