"""The account of every message, from the clients' journals and one read of the table of messages. It
shares nothing with the servers: who must have seen what is computed here, from the changes of
membership as they stand in the messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from chaos.journal import Journal, Sent, Shown
from chaos.membership import Change, Group, change_in

MOST_EXAMPLES = 20  # of a kind of finding

ROWS = """
SELECT c.name, m.seq, replace(m.client_msg_id::text, '-', ''), m.sender, m.content_hash,
       m.content IS NULL, CASE WHEN c.name LIKE 'g:%' THEN encode(m.content, 'hex') END
FROM messages m JOIN conversations c ON c.id = m.conversation_id
ORDER BY c.name, m.seq;
"""

# Each finding by its name, and the column of the report that it counts in.
LOST = "lost"
MISSING = "acknowledged but missing in history"
DOUBLED = "doubled"
DOUBLED_IN_HISTORY = "doubled in history"
MISORDERED = "misordered"
UNEQUAL = "unequal seq"
HOLE = "hole in history"
TO_STRANGER = "shown to one who is not a member"
CHANGED = "changed"
UNKNOWN = "shown but not in history"
INVENTED = "nobody sent it"
REFUSED = "refused but in history"
WRONGLY_REFUSED = "refused though nothing speaks against it"
TAKEN_BACK = "taken back"
PUT_ASIDE = "put aside"
NOT_READ = "history not read to its end"
ENDED = "a device was turned away"
COLUMNS = {
    LOST: "lost",
    MISSING: "lost",
    DOUBLED: "doubled",
    DOUBLED_IN_HISTORY: "doubled",
    MISORDERED: "misordered",
    UNEQUAL: "misordered",
    HOLE: "holes",
}
OTHERS = "others"
REFUSALS_OF_CHANGES = ("NOT_MEMBER", "ALREADY_MEMBER", "GROUP_TAKEN")


@dataclass
class Findings:
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        self.counts[name] += 1
        examples = self.examples.setdefault(name, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(text)

    def columns(self) -> dict[str, int]:
        sums = dict.fromkeys([*dict.fromkeys(COLUMNS.values()), OTHERS], 0)
        for name, count in self.counts.items():
            sums[COLUMNS.get(name, OTHERS)] += count
        return sums


@dataclass
class Conversation:
    name: str
    entries: list[Shown] = field(default_factory=list)
    group: Group = field(default_factory=Group)
    by_seq: dict[int, Shown] = field(default_factory=dict)
    by_id: dict[tuple[str, str], Shown] = field(default_factory=dict)  # sender and id

    @property
    def is_group(self) -> bool:
        return self.name.startswith("g:")

    @cached_property
    def pair(self) -> list[str]:
        """The two users, or the one who writes to themself."""
        return [] if self.is_group else list(dict.fromkeys(self.name.split(":")[1:]))

    def users(self) -> Iterable[str]:
        return self.group.spans if self.is_group else self.pair

    def may_see(self, user: str, seq: int) -> bool:
        return self.group.may_see(user, seq) if self.is_group else user in self.pair

    def visible(self, user: str) -> list[Shown]:
        return [entry for entry in self.entries if self.may_see(user, entry.seq)]


class Account:
    """Rows first, then every journal, then finish(). Journals are not kept."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.expected_deliveries = 0
        self.delivered = 0
        self.history_expected = 0
        self.history_read = 0
        self.sent = self.acked = self.open = 0
        self.refusals: Counter[str] = Counter()  # by code
        self.changes = 0
        self.again_after_kill = 0
        self._conversations: dict[str, Conversation] = {}
        self._of_user: dict[str, list[Conversation]] = {}
        self._sent_by: dict[str, set[str]] = {}

    # The table.

    def read_rows(self, rows: Iterable[list[str]]) -> None:
        """Those of ROWS."""
        for name, seq, message, sender, content_hash, is_put_aside, content in rows:
            change = change_in(bytes.fromhex(content)) if content else None
            entry = Shown(int(seq), message, sender, int(content_hash))
            self.add_row(name, entry, change)
            if is_put_aside == "t":
                self.findings.add(PUT_ASIDE, f"{name} seq {seq}")

    def add_row(self, name: str, entry: Shown, change: Change | None = None) -> None:
        conversation = self._conversations.setdefault(name, Conversation(name))
        before = conversation.entries[-1].seq if conversation.entries else 0
        where = f"{name} seq {entry.seq}"
        if entry.seq > before + 1:
            self.findings.add(HOLE, f"{where} after {before}")
        elif entry.seq <= before:
            self.findings.add(DOUBLED_IN_HISTORY, f"{where} is there twice")
        known = conversation.by_id.setdefault((entry.sender, entry.id), entry)
        if known is not entry:
            self.findings.add(DOUBLED_IN_HISTORY, f"{where}: {entry.id} is seq {known.seq} as well")
        conversation.entries.append(entry)
        conversation.by_seq[entry.seq] = entry
        if change is not None:
            self.changes += 1
            conversation.group.apply(entry.seq, entry.sender, change)

    def index_users(self) -> None:
        """Between the rows and the journals."""
        for conversation in self._conversations.values():
            for user in conversation.users():
                self._of_user.setdefault(user, []).append(conversation)

    # The journals.

    def add_journal(self, journal: Journal) -> None:
        """A device that was there from before the first message on."""
        self.sent += len(journal.sent)
        self.acked += len(journal.acked)
        self.open += len(journal.open)
        self.again_after_kill += journal.again_after_kill
        self._sent_by.setdefault(journal.user, set()).update(journal.sent)
        for text in journal.taken_back:
            self.findings.add(TAKEN_BACK, f"{journal.name}: {text}")
        if journal.ended:
            self.findings.add(ENDED, f"{journal.name}: {journal.ended}")
        self._check_acks(journal)
        self._check_order_of_sending(journal)
        expected, delivered = self._check_shown(journal, journal.shown, "")
        self.expected_deliveries += expected
        self.delivered += delivered

    def add_history_of(self, journal: Journal) -> None:
        """A new device that asked for everything."""
        if not journal.history_ended:
            self.findings.add(NOT_READ, journal.name)
        expected, read = self._check_shown(journal, journal.history, "the history of ")
        self.history_expected += expected
        self.history_read += read

    def finish(self) -> None:
        for conversation in self._conversations.values():
            for entry in conversation.entries:
                if entry.id not in self._sent_by.get(entry.sender, {entry.id}):
                    self.findings.add(INVENTED, f"{conversation.name} seq {entry.seq} {entry.id}")

    @property
    def is_clean(self) -> bool:
        return (
            not self.findings.counts
            and self.delivered == self.expected_deliveries
            and self.history_read == self.history_expected
        )

    def _stored(self, conversation: str, sender: str, message: str) -> Shown | None:
        known = self._conversations.get(conversation)
        return known.by_id.get((sender, message)) if known else None

    def _check_acks(self, journal: Journal) -> None:
        for message in journal.unequal_acks:
            self.findings.add(UNEQUAL, f"{journal.name}: {message} was acknowledged differently")
        for message, acked in journal.acked.items():
            where = f"{journal.name}: {acked.conversation} seq {acked.seq} {message}"
            entry = self._stored(acked.conversation, journal.user, message)
            if entry is None:
                self.findings.add(MISSING, where)
            elif entry.seq != acked.seq:
                self.findings.add(UNEQUAL, f"{where} is seq {entry.seq} in history")
            elif entry.hash != journal.sent[message].hash:
                self.findings.add(CHANGED, where)
        for message, code in journal.refused.items():
            self.refusals[code] += 1
            sent = journal.sent[message]
            where = f"{journal.name}: {sent.conversation} {message} {code}"
            if self._stored(sent.conversation, journal.user, message):
                self.findings.add(REFUSED, where)
            if not self._may_be_refused(journal.user, sent, code):
                self.findings.add(WRONGLY_REFUSED, where)

    def _may_be_refused(self, user: str, sent: Sent, code: str) -> bool:
        """A message of one who was not in the group all the time, or a change that makes no sense."""
        if sent.is_change:
            return code in REFUSALS_OF_CHANGES
        conversation = self._conversations.get(sent.conversation) or Conversation(sent.conversation)
        was_always_in = conversation.group.spans.get(user) == [(1, None)]
        return conversation.is_group and code == "NOT_MEMBER" and not was_always_in

    def _check_order_of_sending(self, journal: Journal) -> None:
        last: dict[str, int] = {}
        for message, sent in journal.sent.items():
            entry = self._stored(sent.conversation, journal.user, message)
            if entry is None or sent.is_change:
                continue
            before = last.get(sent.conversation, 0)
            if entry.seq < before:
                where = f"{journal.name}: {sent.conversation} seq {entry.seq} {message}"
                self.findings.add(MISORDERED, f"{where} was sent after seq {before}")
            last[sent.conversation] = max(before, entry.seq)

    def _check_shown(
        self, journal: Journal, shown: dict[str, list[Shown]], what: str
    ) -> tuple[int, int]:
        """How much the device must have, and how much of it it has."""
        expected = delivered = 0
        where = f"{what}{journal.name}"
        for name in shown.keys() - {c.name for c in self._of_user.get(journal.user, [])}:
            kind = TO_STRANGER if name in self._conversations else UNKNOWN
            self.findings.add(kind, f"{where}: {name}, {len(shown[name])} messages")
        for conversation in self._of_user.get(journal.user, []):
            seen = self._check_sequence(
                journal.user, conversation, shown.get(conversation.name, []), where
            )
            for entry in conversation.visible(journal.user):
                expected += 1
                if entry.seq in seen:
                    delivered += 1
                else:
                    text = f"{where}: {conversation.name} seq {entry.seq} {entry.id}"
                    self.findings.add(LOST, text)
        return expected, delivered

    def _check_sequence(
        self, user: str, conversation: Conversation, shown: list[Shown], where: str
    ) -> set[int]:
        """The seqs that it has as they should be."""
        good: set[int] = set()
        last = 0
        for entry in shown:
            place = f"{where}: {conversation.name} seq {entry.seq} {entry.id}"
            wrong = self._wrong_with(user, conversation, entry)
            if wrong:
                self.findings.add(wrong, place)
            elif entry.seq in good:
                self.findings.add(DOUBLED, place)
            else:
                if entry.seq < last:
                    self.findings.add(MISORDERED, f"{place} after seq {last}")
                good.add(entry.seq)
            last = max(last, entry.seq)
        return good

    @staticmethod
    def _wrong_with(user: str, conversation: Conversation, entry: Shown) -> str:
        stored = conversation.by_id.get((entry.sender, entry.id))
        if stored is None:
            return UNKNOWN
        if not conversation.may_see(user, stored.seq):
            return TO_STRANGER
        if conversation.by_seq.get(entry.seq, stored).id != entry.id or entry.seq != stored.seq:
            return UNEQUAL
        return CHANGED if entry.hash != stored.hash else ""
