"""./dev bench history: pages and syncs from millions of stored messages. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import random
import socket
import statistics
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import swarm
from flat_table import Table, root
from martlet_bench import flat, history_data, table, usage
from martlet_bench.case import Case
from martlet_bench.history_data import Shape
from martlet_cluster import Cluster
from wire_client import (
    AUTH,
    ERROR,
    FLATBUFFERS,
    HEADER,
    HISTORY,
    LOGIN,
    SYNC,
    WireClient,
    make_frame,
)

PAGE = 50
FIRST_SYNC_NEWEST = 20
LATENCIES = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
FIGURES: Sequence[str] = (*("answered_per_s", "answer_bytes"), *LATENCIES, *("cpu_us", "seconds"))
COUNTS: Sequence[str] = ("answered", "wrong")

# What one question is: seconds it took, bytes of its answers, and whether they were right.
Answer = tuple[float, int, bool]


def cases(workload: str, options: argparse.Namespace) -> list[Case]:
    return [Case(workload, {"kind": kind}) for kind in KINDS]


def disk_bytes(options: argparse.Namespace) -> int:
    """Making them takes more than keeping them."""
    to_make = 0 if history_data.is_made(options.rows) else options.rows * history_data.BYTES_PER_ROW
    return history_data.SERVERS_BYTES + int(to_make)


class Reader:
    """A session in FlatBuffers, one question at a time."""

    def __init__(self, address: str, user: str) -> None:
        self.user = user
        door = WireClient(address)
        tokens = door.call(LOGIN, user=user, device="bench", password=swarm.PASSWORD).body
        door.close()
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._file = self._socket.makefile("rb", buffering=1 << 20)
        self._requests = 0
        self.ask(AUTH, flat.table(str(tokens["access_token"]).encode()))

    def ask(self, command: int, body: bytes = b"") -> tuple[float, bytes]:
        """Seconds until the whole answer was there, and its body. Events are passed over."""
        self._requests += 1
        frame = make_frame(command, body, self._requests, codec=FLATBUFFERS)
        begin = time.perf_counter()
        self._socket.sendall(frame)
        while True:
            *_, answer, _flags, request, length = HEADER.unpack(self._file.read(HEADER.size))
            data = self._file.read(length)
            if request == self._requests:
                assert answer != ERROR, data
                return time.perf_counter() - begin, data

    def close(self) -> None:
        self._file.close()
        self._socket.close()


# The kinds: questions without end, a reader after the other.


def pages(readers: list[Reader], shape: Shape) -> Iterator[Answer]:
    """Of 50, anywhere: from a seq that has so many before it, if the conversation is that long."""
    chance = random.Random(1)
    while True:
        reader = chance.choice(readers)
        conversation = f"u:{reader.user}:{chance.choice(shape.peers)}"
        end = chance.randint(min(PAGE, shape.each) + 1, shape.each + 1)
        wanted = list(range(end - 1, max(0, end - 1 - PAGE), -1))
        question = flat.table(conversation.encode(), ("<Q", end), ("<B", 0), ("<I", PAGE))
        seconds, data = reader.ask(HISTORY, question)
        messages = root(data).tables(0)
        right = [one.number(1, "<Q") for one in messages] == wanted
        right = right and all(one.text(0) == conversation and one.at(6) for one in messages)
        yield seconds, len(data), right


def first_syncs(readers: list[Reader], shape: Shape) -> Iterator[Answer]:
    """All pages of it, as a new device asks for them."""
    while True:
        for reader in readers:
            seconds, size, conversations, _ = sync(reader, b"")
            newest = range(max(1, shape.each - FIRST_SYNC_NEWEST + 1), shape.each + 1)
            right = all(
                [message.number(1, "<Q") for message in one.tables(8)] == list(newest)
                for one in conversations
            )
            yield seconds, size, right and are_all(conversations, reader, shape)


def later_syncs(readers: list[Reader], shape: Shape) -> Iterator[Answer]:
    """With the token of a sync before, as every session asks from time to time: nothing is new."""
    tokens = [sync(reader, b"")[3] for reader in readers]
    while True:
        for reader, token in zip(readers, tokens, strict=True):
            seconds, size, conversations, _ = sync(reader, token)
            yield seconds, size, not conversations


def sync(reader: Reader, token: bytes) -> tuple[float, int, list[Table], bytes]:
    """Seconds, bytes and conversations of all pages, and the new token."""
    seconds, size, page = 0.0, 0, b""
    conversations: list[Table] = []
    while True:
        took, data = reader.ask(SYNC, flat.table(token or None, page or None))
        answer = root(data)
        seconds, size = seconds + took, size + len(data)
        conversations += answer.tables(0) if answer.at(0) else []
        page = vector(answer, 1)
        if not page:
            return seconds, size, conversations, vector(answer, 2)


def vector(answer: Table, number: int) -> bytes:
    if not answer.at(number):
        return b""
    start = answer.target(answer.at(number))
    return answer.data[start + 4 : start + 4 + struct.unpack_from("<I", answer.data, start)[0]]


def are_all(conversations: list[Table], reader: Reader, shape: Shape) -> bool:
    told = {one.text(0): one.number(1, "<Q") for one in conversations}
    return told == {f"u:{reader.user}:{peer}": shape.each for peer in shape.peers}


KINDS: dict[str, Callable[[list[Reader], Shape], Iterator[Answer]]] = {
    "page": pages,
    "sync": first_syncs,
    "sync-again": later_syncs,
}


def run(directory: Path, options: argparse.Namespace, case: Case) -> dict[str, Any]:
    shape = Shape.of(options.rows)
    with history_data.opened(options) as cluster:
        (directory / "cluster").symlink_to(cluster.directory)  # its settings are looked for here
        readers = [
            Reader(cluster.edges[number % len(cluster.edges)].listen, user)
            for number, user in enumerate(shape.readers)
        ]
        result = measure(cluster, KINDS[case["kind"]](readers, shape), options)
        for reader in readers:
            reader.close()
    return {"workload": case.workload, **case.keys, "rows": shape.rows, **result}


def measure(
    cluster: Cluster, questions: Iterator[Answer], options: argparse.Namespace
) -> dict[str, Any]:
    """One question at a time: with the machine to itself, as long as it takes."""
    warm_until = time.monotonic() + options.warm_up
    next(questions)
    while time.monotonic() < warm_until:
        next(questions)
    before, begin = usage.cpu_by_pid(usage.pids_by_kind(cluster)), time.monotonic()
    answers: list[Answer] = [next(questions)]
    while time.monotonic() < begin + options.seconds:
        answers.append(next(questions))
    took = time.monotonic() - begin
    spent = usage.spent_by_kind(before, usage.cpu_by_pid(usage.pids_by_kind(cluster)))
    times = sorted(1e3 * seconds for seconds, _, _ in answers)
    return {
        "answered": len(answers),
        "answered_per_s": round(len(answers) / took, 1),
        "answer_bytes": round(statistics.mean(size for _, size, _ in answers)),
        **{key: round(value, 3) for key, value in zip(LATENCIES, ranks(times), strict=True)},
        "cpu_us": {kind: round(1e6 * used / len(answers), 1) for kind, used in spent.items()},
        "wrong": sum(not right for _, _, right in answers),
        "seconds": round(took, 3),
        "edges": options.edges,
    }


def ranks(times: list[float]) -> list[float]:
    """Exact: the least time that so many did not exceed."""
    last = len(times) - 1
    return [times[min(last, int(len(times) * part))] for part in (0.5, 0.95, 0.99, 1)]


def lines(result: dict[str, Any]) -> list[str]:
    times = "   ".join(f"{key[:-3]} {table.number(result[key], 2)} ms" for key in LATENCIES)
    return [
        f"history, {result['kind']}, {result['rows']:,} messages, {result['seconds']:.1f} s "
        f"x {result['runs']}",
        f"  {times}   of {result['answered']:,}, {table.number(result['answer_bytes'])} bytes each",
        *table.cpu_rows(result["cpu_us"], "an answer"),
        f"  account: wrong {result['wrong']}",
    ]


def is_clean(result: dict[str, Any]) -> bool:
    return not result["wrong"]
