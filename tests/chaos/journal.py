"""What one device wrote down (tests/support/swarm/journal.h), read for the account.

A device may be killed between showing a message and remembering that it did. After its restart it
shows that very one again, before any other of the conversation; this is counted apart and is no
second showing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Line = dict[str, Any]


class Shown(NamedTuple):
    """A message in its place, as a device or the database has it."""

    seq: int
    id: str
    sender: str
    hash: int


class Sent(NamedTuple):
    conversation: str
    hash: int
    at_ms: int
    is_change: bool  # of a group; not ordered with the messages around it


class Acked(NamedTuple):
    conversation: str
    seq: int
    at_ms: int
    # The device was away or dead since it sent: the time in between is its own.
    after_absence: bool


@dataclass
class Journal:
    user: str
    device: str
    sent: dict[str, Sent] = field(default_factory=dict)  # by id, in the order of sending
    acked: dict[str, Acked] = field(default_factory=dict)
    unequal_acks: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    shown: dict[str, list[Shown]] = field(default_factory=dict)  # by conversation
    shown_at_s: dict[int, int] = field(default_factory=dict)  # how many in which second
    again_after_kill: int = 0
    taken_back: list[str] = field(default_factory=list)
    history: dict[str, list[Shown]] = field(default_factory=dict)
    history_ended: bool = False
    online: list[tuple[int, str]] = field(default_factory=list)  # since when, at which edge
    ended: str = ""  # why the server does not want the device any more
    lines_cut: int = 0

    @property
    def name(self) -> str:
        return f"{self.user}/{self.device}"

    @property
    def open(self) -> list[str]:
        return [message for message in self.sent if message not in self.acked | self.refused]


def signed(number: int) -> int:
    """A 64-bit hash as PostgreSQL's bigint shows it."""
    return number - (1 << 64) if number >= 1 << 63 else number


class Reader:
    """Takes the lines of one journal in their order."""

    def __init__(self, user: str, device: str) -> None:
        self.journal = Journal(user, device)
        self._absences = 0
        self._absences_when_sent: dict[str, int] = {}
        self._last: tuple[str, Shown] | None = None  # shown
        self._before_kill: dict[str, Shown] = {}  # by conversation

    def add(self, line: Line) -> None:
        take = getattr(self, f"_on_{line['e']}", None)
        if take is not None:
            take(line)

    def _on_started(self, _: Line) -> None:
        self._absences += 1
        if self._last is not None:
            self._before_kill[self._last[0]] = self._last[1]

    def _on_state(self, line: Line) -> None:
        if line["state"] == "online":
            self.journal.online.append((line["at"], line["why"]))
        elif line["state"] == "stopping":
            self._absences += 1
        elif line["state"] == "end" and line["why"] != "stopped":
            self.journal.ended = line["why"]

    def _on_sent(self, line: Line) -> None:
        sent = Sent(line["conversation"], signed(int(line["hash"])), line["at"], False)
        self.journal.sent[line["id"]] = sent
        self._absences_when_sent[line["id"]] = self._absences

    def _on_change(self, line: Line) -> None:
        message = line["id"]
        self.journal.sent[message] = self.journal.sent[message]._replace(is_change=True)

    def _on_acked(self, line: Line) -> None:
        message = line["id"]
        absent = self._absences_when_sent.get(message) != self._absences
        acked = Acked(line["conversation"], line["seq"], line["at"], absent)
        known = self.journal.acked.setdefault(message, acked)
        if (known.conversation, known.seq) != (acked.conversation, acked.seq):
            self.journal.unequal_acks.append(message)

    def _on_refused(self, line: Line) -> None:
        self.journal.refused[line["id"]] = line["code"]

    def _on_received(self, line: Line) -> None:
        conversation, shown = line["conversation"], shown_in(line)
        self._last = (conversation, shown)
        if self._before_kill.pop(conversation, None) == shown:
            self.journal.again_after_kill += 1
            return
        self.journal.shown.setdefault(conversation, []).append(shown)
        second = line["at"] // 1000
        self.journal.shown_at_s[second] = self.journal.shown_at_s.get(second, 0) + 1

    def _on_dropped(self, line: Line) -> None:
        self.journal.taken_back.append(f"{line['conversation']} from seq {line['from']}")

    def _on_history(self, line: Line) -> None:
        self.journal.history.setdefault(line["conversation"], []).append(shown_in(line))

    def _on_history_begins(self, _: Line) -> None:
        self.journal.history = {}

    def _on_history_ends(self, _: Line) -> None:
        self.journal.history_ended = True


def shown_in(line: Line) -> Shown:
    return Shown(line["seq"], line["id"], line["sender"], signed(int(line["hash"])))


def read(user: str, device: str, lines: Iterable[str]) -> Journal:
    """A line may be cut short where the process was killed: as the last one, or before "started"."""
    reader = Reader(user, device)
    is_cut = False
    for text in lines:
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError:
            if is_cut:
                raise
            is_cut = True
            continue
        if is_cut and line["e"] != "started":
            raise ValueError(f"{user}/{device}: a broken line before {text}")
        reader.journal.lines_cut += is_cut
        is_cut = False
        reader.add(line)
    return reader.journal


def read_file(path: Path) -> Journal:
    user, device = path.name.removesuffix(".jsonl").split(".")
    with path.open(encoding="utf-8", errors="replace") as lines:
        return read(user, device, lines)
