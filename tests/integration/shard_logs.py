"""The shards' logs as an independent reader sees them: straight from JetStream, decoded here, and
checked for gaps, duplicates and writes of an owner that had been replaced (schemas/log.fbs)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from flat_table import root

from martlet_cluster.nats import Nats
from martlet_cluster.nats_probe import NatsMessage, NatsProbe

OWNER, MESSAGE, READ, MEMBERS = 1, 2, 3, 16


@dataclass(frozen=True)
class LogEntry:
    kind: int
    conversation: str
    seq: int
    message_id: int
    sender: str
    client_msg_id: str


@dataclass(frozen=True)
class LogBatch:
    sequence: int
    generation: int
    epoch: int
    entries: list[LogEntry]


def decode(sequence: int, data: bytes) -> LogBatch:
    batch = root(data)
    entries = [
        LogEntry(
            kind=entry.number(0, "<B"),
            conversation=entry.text(1),
            seq=entry.number(2, "<Q"),
            message_id=entry.number(3, "<Q"),
            sender=entry.text(4),
            client_msg_id=entry.raw(6, 16).hex(),
        )
        for entry in batch.tables(2)
    ]
    return LogBatch(sequence, batch.number(1, "<I"), batch.number(0, "<Q"), entries)


def sequence_of(message: NatsMessage) -> int:
    """$JS.ACK.<stream>.<consumer>.<delivered>.<sequence in the stream>.…"""
    return int(message.reply.split(".")[5])


def read_from(probe: NatsProbe, stream: str, first: int, last: int) -> list[LogBatch]:
    """What is there from first to last."""
    inbox = probe.subscribe(f"_INBOX.logs.{stream}.{time.monotonic_ns()}")
    config = {
        "deliver_subject": inbox.subject,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": first,
        "ack_policy": "none",
        "replay_policy": "instant",
    }
    question = json.dumps({"stream_name": stream, "config": config}).encode()
    answer = json.loads(probe.request(f"$JS.API.CONSUMER.CREATE.{stream}", question).data)
    if "error" in answer:
        raise AssertionError(f"{stream} cannot be read: {answer['error']}")
    count = 0
    while True:
        messages = probe.collect(inbox, count + 1, 10)
        count = len(messages)
        if sequence_of(messages[-1]) >= last:
            break
    probe.unsubscribe(inbox)
    return [decode(sequence_of(message), message.data) for message in messages]


@dataclass
class LogState:
    """One shard's log as far as it was read."""

    sequence: int = 0
    generation: int = 0
    epoch: int = 0
    message_id: int = 0
    heads: dict[str, int] = field(default_factory=dict)
    seen: set[tuple[str, str, str]] = field(default_factory=set)


class ShardLogs:
    """Reads on from where it was; nothing may be purged meanwhile that was not read."""

    def __init__(self, server: Nats) -> None:
        self._server = server
        self._logs: dict[str, LogState] = {}
        self.takeovers = 0
        self.messages = 0

    def check(self) -> list[str]:
        """What is wrong in what is new since the last look, empty if all is well."""
        problems: list[str] = []
        with NatsProbe(self._server) as probe:
            names = json.loads(probe.request("$JS.API.STREAM.NAMES").data)["streams"] or []
            for stream in sorted(name for name in names if name.startswith("IM_LOG_")):
                answer = json.loads(probe.request(f"$JS.API.STREAM.INFO.{stream}").data)
                state, log = answer["state"], self._logs.setdefault(stream, LogState())
                if state["last_seq"] < log.sequence:
                    problems.append(f"{stream} ends at {state['last_seq']}, not {log.sequence}")
                if state["last_seq"] <= log.sequence:
                    continue
                for batch in read_from(probe, stream, log.sequence + 1, state["last_seq"]):
                    problems += [f"{stream}: {text}" for text in self._add(log, batch)]
        return problems

    def _add(self, log: LogState, batch: LogBatch) -> list[str]:
        problems = []
        if batch.sequence != log.sequence + 1:
            problems.append(f"{batch.sequence} follows {log.sequence}")
        log.sequence = batch.sequence
        before, now = (log.generation, log.epoch), (batch.generation, batch.epoch)
        is_owner = batch.entries[0].kind == OWNER
        if now < before or (now != before and not is_owner) or (now == before and is_owner):
            problems.append(f"{batch.sequence} is of owner {now} after {before}")
        log.generation, log.epoch = now
        self.takeovers += is_owner
        for entry in batch.entries:
            if entry.kind in (MESSAGE, MEMBERS):  # a change of a group has a seq as well
                problems += self._add_message(log, batch.sequence, entry)
        return problems

    def _add_message(self, log: LogState, sequence: int, entry: LogEntry) -> list[str]:
        self.messages += 1
        problems = []
        where = f"{sequence}, {entry.conversation}"
        head = log.heads.get(entry.conversation, 0)
        if entry.seq != head + 1:
            problems.append(f"{where}: seq {entry.seq} follows {head}")
        log.heads[entry.conversation] = entry.seq
        key = (entry.conversation, entry.sender, entry.client_msg_id)
        if key in log.seen:
            problems.append(f"{where}: {entry.client_msg_id} is there twice")
        log.seen.add(key)
        if entry.message_id <= log.message_id:
            problems.append(f"{where}: message id {entry.message_id} after {log.message_id}")
        log.message_id = entry.message_id
        return problems
