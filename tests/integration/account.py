"""The account of messages: what senders' journals say was sent and acknowledged, compared with each
device's own log and with the rows in PostgreSQL. Never with the servers' counters.

A journal is what martlet-swarm writes for one device (tests/support/swarm/journal.h).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MOST_PROBLEMS_OF_A_KIND = 5

SELECT = """
SELECT c.name, m.seq, replace(m.client_msg_id::text, '-', ''), m.sender, m.content_hash
FROM messages m JOIN conversations c ON c.id = m.conversation_id
"""
ROWS = f"{SELECT} ORDER BY c.name, m.seq;"


@dataclass(frozen=True)
class Entry:
    """A message in its place."""

    seq: int
    id: str
    sender: str
    hash: int


@dataclass(frozen=True)
class Change:
    """What a device asked for in a group."""

    conversation: str
    action: str
    users: tuple[str, ...]
    history: bool  # of Created: new members see what was before


Span = tuple[int, int | None]  # seqs that a member may see, both included
Spans = dict[tuple[str, str], list[Span]]  # by group and user
History = dict[str, list[Entry]]  # by conversation, as the database has it


@dataclass
class Journal:
    """What one device sent and saw."""

    user: str
    device: str
    sent: dict[str, tuple[str, int]] = field(default_factory=dict)  # id: conversation, hash
    acked: dict[str, tuple[str, int]] = field(default_factory=dict)  # id: conversation, seq
    refused: dict[str, str] = field(default_factory=dict)  # id: code
    stored: set[str] = field(default_factory=set)
    received: dict[str, list[Entry]] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)  # id: what it changes
    states: list[tuple[str, str]] = field(default_factory=list)
    changed_acks: list[str] = field(default_factory=list)
    longest_ack_ms: float = 0

    @property
    def name(self) -> str:
        return f"{self.user}/{self.device}"


def signed(number: int) -> int:
    """A 64-bit hash as PostgreSQL's bigint shows it."""
    return number - (1 << 64) if number >= 1 << 63 else number


def add_line(journal: Journal, line: dict[str, object]) -> None:
    kind = str(line["e"])
    conversation = str(line.get("conversation", ""))
    message = str(line.get("id", ""))
    if kind == "sent":
        journal.sent[message] = (conversation, signed(int(str(line["hash"]))))
    elif kind == "change":
        users = line["users"]
        assert isinstance(users, list)
        journal.changes[message] = Change(
            conversation, str(line["action"]), tuple(map(str, users)), bool(line["history"])
        )
    elif kind == "acked":
        place = (conversation, int(str(line["seq"])))
        if journal.acked.setdefault(message, place) != place:
            journal.changed_acks.append(message)
        journal.longest_ack_ms = max(journal.longest_ack_ms, float(str(line.get("ms", 0))))
    elif kind == "refused":
        journal.refused[message] = str(line["code"])
    elif kind == "stored":
        journal.stored.add(message)
    elif kind == "received":
        entry = Entry(
            int(str(line["seq"])), message, str(line["sender"]), signed(int(str(line["hash"])))
        )
        journal.received.setdefault(conversation, []).append(entry)
    elif kind == "dropped":
        keep = journal.received.get(conversation, [])
        journal.received[conversation] = [e for e in keep if e.seq < int(str(line["from"]))]
    elif kind == "state":
        journal.states.append((str(line["state"]), str(line["why"])))


def read_journal(path: Path) -> Journal:
    """user.device.jsonl; a last line cut short by a kill is left out."""
    user, device = path.name.removesuffix(".jsonl").split(".")
    journal = Journal(user, device)
    for text in path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        add_line(journal, json.loads(text))
    return journal


def read_journals(directory: Path) -> list[Journal]:
    return [read_journal(path) for path in sorted(directory.glob("*.jsonl"))]


def history_of(rows: Iterable[list[str]]) -> History:
    """The rows of ROWS."""
    history: History = {}
    for conversation, seq, message, sender, content_hash in rows:
        entry = Entry(int(seq), message, sender, int(content_hash))
        history.setdefault(conversation, []).append(entry)
    return history


def rows_of(user: str) -> str:
    """ROWS, but only this user's conversations."""
    return f"{SELECT} WHERE c.name ~ ':{user}(:|$)' ORDER BY c.name, m.seq;"


class Problems:
    """Findings, a few of each kind."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count: dict[str, int] = {}

    def add(self, kind: str, text: str) -> None:
        self._count[kind] = self._count.get(kind, 0) + 1
        if self._count[kind] <= MOST_PROBLEMS_OF_A_KIND:
            self.lines.append(f"{kind}: {text}")
        elif self._count[kind] == MOST_PROBLEMS_OF_A_KIND + 1:
            self.lines.append(f"{kind}: and more")


def check_history(history: History, problems: Problems) -> None:
    for conversation, entries in history.items():
        for place, entry in enumerate(entries, 1):
            if entry.seq != place:
                problems.add("gap in history", f"{conversation}: seq {entry.seq} at place {place}")
                break
        seen: dict[tuple[str, str], int] = {}
        for entry in entries:
            before = seen.setdefault((entry.sender, entry.id), entry.seq)
            if before != entry.seq:
                problems.add(
                    "doubled in history", f"{conversation}: {entry.id} at {before} and {entry.seq}"
                )


def check_sender(journal: Journal, history: History, problems: Problems) -> None:
    places = {
        (conversation, entry.id): entry
        for conversation, entries in history.items()
        for entry in entries
        if entry.sender == journal.user
    }
    for message in journal.changed_acks:
        problems.add("unequal acknowledgements", f"{journal.name}: {message}")
    for message, (conversation, seq) in journal.acked.items():
        entry = places.get((conversation, message))
        if entry is None:
            problems.add("lost", f"{journal.name}: {conversation} seq {seq} {message}")
        elif entry.seq != seq:
            problems.add(
                "unequal seq",
                f"{journal.name}: {conversation} {message} acknowledged {seq}, stored {entry.seq}",
            )
        elif message in journal.sent and entry.hash != journal.sent[message][1]:
            problems.add("changed", f"{journal.name}: {conversation} seq {seq} {message}")
    for message, code in journal.refused.items():
        if any(known == message for _, known in places):
            problems.add("refused but stored", f"{journal.name}: {message} {code}")
    check_order(journal, places, problems)


def check_order(
    journal: Journal, places: dict[tuple[str, str], Entry], problems: Problems
) -> None:
    """A device's messages to one conversation are there in the order in which it sent them."""
    last: dict[str, int] = {}
    for message, (conversation, _) in journal.sent.items():
        entry = places.get((conversation, message))
        if entry is None or message in journal.changes:  # no change follows a message
            continue
        if entry.seq < last.get(conversation, 0):
            problems.add("out of order", f"{journal.name}: {conversation} seq {entry.seq} {message}")
        last[conversation] = entry.seq


def spans_of(journals: list[Journal]) -> Spans:
    """Who may see what of which group, by the changes that were acknowledged to those who asked for
    them; groups that others changed too can't be told this way."""
    done: dict[tuple[str, int], tuple[str, Change]] = {}
    for journal in journals:
        for message, change in journal.changes.items():
            if message in journal.acked:
                done[journal.acked[message]] = (journal.user, change)
    spans: Spans = {}
    shown = {
        change.conversation
        for _, change in done.values()
        if change.history and change.action == "Created"
    }
    for (group, seq), (actor, change) in sorted(done.items(), key=lambda item: item[0]):
        came, went = moves(actor, change, [user for name, user in spans if name == group])
        for user in came:
            mine = spans.setdefault((group, user), [])
            if not mine or mine[-1][1] is not None:
                mine.append((1 if group in shown else seq, None))
        for user in went:
            mine = spans.get((group, user), [])
            if mine and mine[-1][1] is None:
                mine[-1] = (mine[-1][0], seq)
    return spans


def moves(actor: str, change: Change, known: list[str]) -> tuple[list[str], list[str]]:
    """Whom a change makes members, and whom no longer."""
    if change.action in ("Created", "Invited"):
        creator = [actor] if change.action == "Created" else []
        return [*creator, *change.users], []
    if change.action == "Joined":
        return [actor], []
    if change.action == "Left":
        return [], [actor]
    if change.action == "Removed":
        return [], list(change.users)
    return [], known if change.action == "Disbanded" else []


def may_see(user: str, conversation: str, seq: int, spans: Spans) -> bool:
    if conversation.startswith("g:"):
        mine = spans.get((conversation, user), [])
        return any(first <= seq and (last is None or seq <= last) for first, last in mine)
    return user in conversation.split(":")[1:]


def check_received(journal: Journal, spans: Spans, problems: Problems) -> None:
    """What a device was shown: nothing that is not for its user, in order, nothing left out."""
    for conversation, entries in journal.received.items():
        for entry in entries:
            if not may_see(journal.user, conversation, entry.seq, spans):
                problems.add(
                    "not for this user", f"{journal.name}: {conversation} seq {entry.seq}"
                )
        for before, after in zip(entries, entries[1:], strict=False):
            between = range(before.seq + 1, after.seq)
            if after.seq <= before.seq or any(
                may_see(journal.user, conversation, seq, spans) for seq in between
            ):
                problems.add(
                    "not in order at a device",
                    f"{journal.name}: {conversation} seq {after.seq} after {before.seq}",
                )


def check_device(
    journal: Journal, history: History, spans: Spans, problems: Problems, from_first: bool
) -> None:
    check_received(journal, spans, problems)
    for conversation, stored in history.items():
        shown = {entry.seq: entry for entry in journal.received.get(conversation, [])}
        first = 1 if from_first or not shown else min(shown)
        for entry in stored:
            if not may_see(journal.user, conversation, entry.seq, spans):
                continue
            if entry.seq >= first and shown.get(entry.seq) != entry:
                what = "missing at" if entry.seq not in shown else "other message at"
                problems.add(f"{what} a device", f"{journal.name}: {conversation} seq {entry.seq}")
        for seq in shown.keys() - {entry.seq for entry in stored}:
            problems.add("not in history", f"{journal.name}: {conversation} seq {seq}")
    for conversation in journal.received.keys() - history.keys():
        problems.add("not in history", f"{journal.name}: {conversation}")


def check(
    journals: list[Journal],
    history: History,
    *,
    from_first: bool = True,
    all_answered: bool = True,
) -> list[str]:
    """What is wrong, empty if all is well. from_first: devices were there from the first message on
    (a new device starts with the newest). all_answered: nothing sent may be without an outcome."""
    problems = Problems()
    check_history(history, problems)
    spans = spans_of(journals)
    sent_by = {journal.user: set[str]() for journal in journals}
    for journal in journals:
        sent_by[journal.user] |= journal.sent.keys()
        check_sender(journal, history, problems)
        check_device(journal, history, spans, problems, from_first)
        if all_answered:
            for message in journal.sent.keys() - journal.acked.keys() - journal.refused.keys():
                problems.add("not answered", f"{journal.name}: {message}")
    for conversation, entries in history.items():
        for entry in entries:
            if entry.sender in sent_by and entry.id not in sent_by[entry.sender]:
                problems.add("nobody sent it", f"{conversation} seq {entry.seq} {entry.id}")
    return problems.lines
