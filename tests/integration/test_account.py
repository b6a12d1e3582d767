"""The account itself: each kind of fault, written by hand, is found; a clean one passes."""

from __future__ import annotations

import copy
import json
import tempfile
import unittest
from pathlib import Path

import account
from account import Entry, Journal

TALK = "u:ann:ben"


class AccountTest(unittest.TestCase):
    """Ann sent a, b and d, Ben sent c; Ben has two devices."""

    def setUp(self) -> None:
        self.entries = [
            Entry(1, "a", "ann", 10),
            Entry(2, "b", "ann", 20),
            Entry(3, "c", "ben", 30),
            Entry(4, "d", "ann", 40),
        ]
        self.history = {TALK: list(self.entries)}
        self.ann = Journal("ann", "phone")
        self.ben = Journal("ben", "phone")
        self.desk = Journal("ben", "desk")
        for journal in (self.ann, self.ben, self.desk):
            journal.received[TALK] = list(self.entries)
        for entry in self.entries:
            sender = self.ann if entry.sender == "ann" else self.ben
            sender.sent[entry.id] = (TALK, entry.hash)
            sender.acked[entry.id] = (TALK, entry.seq)

    def problems(self, **options: bool) -> list[str]:
        return account.check([self.ann, self.ben, self.desk], self.history, **options)

    def assert_found(self, kind: str) -> None:
        self.assertTrue(
            any(line.startswith(kind) for line in self.problems()), f"{kind}: {self.problems()}"
        )

    def test_clean_account_has_no_problems(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_lost_message_is_found(self) -> None:
        del self.history[TALK][3]
        self.assert_found("lost")

    def test_doubled_message_is_found(self) -> None:
        self.history[TALK].append(Entry(5, "a", "ann", 10))
        self.assert_found("doubled in history")

    def test_same_id_of_two_senders_is_no_double(self) -> None:
        extra = Entry(5, "a", "ben", 11)
        self.history[TALK].append(extra)
        self.ben.sent["a"] = (TALK, 11)
        self.ben.acked["a"] = (TALK, 5)
        for journal in (self.ann, self.ben, self.desk):
            journal.received[TALK].append(extra)
        self.assertEqual(self.problems(), [])

    def test_gap_is_found(self) -> None:
        self.history[TALK] = [
            entry if entry.seq < 4 else Entry(5, "d", "ann", 40) for entry in self.entries
        ]
        self.assert_found("gap in history")

    def test_unequal_seq_is_found(self) -> None:
        self.ann.acked["b"] = (TALK, 3)
        self.assert_found("unequal seq")

    def test_swapped_messages_of_a_sender_are_found(self) -> None:
        self.history[TALK][0] = Entry(1, "b", "ann", 20)
        self.history[TALK][1] = Entry(2, "a", "ann", 10)
        self.assert_found("out of order")

    def test_swapped_messages_at_a_device_are_found(self) -> None:
        shown = self.desk.received[TALK]
        shown[1], shown[2] = shown[2], shown[1]
        self.assert_found("not in order at a device")

    def test_other_message_at_a_device_is_found(self) -> None:
        self.desk.received[TALK][1] = Entry(2, "z", "ann", 20)
        self.assert_found("other message at a device")

    def test_missing_message_at_a_device_is_found(self) -> None:
        del self.desk.received[TALK][3]
        self.assert_found("missing at a device")

    def test_message_shown_twice_is_found(self) -> None:
        self.desk.received[TALK].append(self.entries[3])
        self.assert_found("not in order at a device")

    def test_conversation_that_a_device_never_saw_is_found(self) -> None:
        self.desk.received.clear()
        self.assert_found("missing at a device")

    def test_message_that_is_only_at_a_device_is_found(self) -> None:
        self.desk.received[TALK].append(Entry(5, "e", "ann", 50))
        self.assert_found("not in history")

    def test_changed_content_is_found(self) -> None:
        self.history[TALK][1] = Entry(2, "b", "ann", 21)
        self.assert_found("changed")

    def test_refused_message_in_history_is_found(self) -> None:
        del self.ann.acked["d"]
        self.ann.refused["d"] = "CONFLICT"
        self.assert_found("refused but stored")

    def test_unanswered_message_is_found(self) -> None:
        self.ann.sent["f"] = (TALK, 60)
        self.assert_found("not answered")
        self.assertEqual(self.problems(all_answered=False), [])

    def test_invented_message_is_found(self) -> None:
        extra = Entry(5, "x", "ann", 70)
        self.history[TALK].append(extra)
        for journal in (self.ann, self.ben, self.desk):
            journal.received[TALK].append(extra)
        self.assert_found("nobody sent it")

    def test_message_for_somebody_else_is_found(self) -> None:
        eve = Journal("eve", "phone", received={TALK: list(self.entries)})
        problems = account.check([self.ann, self.ben, self.desk, eve], self.history)
        self.assertTrue(any(line.startswith("not for this user") for line in problems))

    def test_new_device_may_start_with_the_newest(self) -> None:
        self.desk.received[TALK] = self.entries[2:]
        self.assertEqual(self.problems(from_first=False), [])
        self.assert_found("missing at a device")

    def test_many_faults_of_a_kind_are_cut_short(self) -> None:
        entries = [Entry(seq, str(seq), "ann", seq) for seq in range(1, 100)]
        empty = Journal("ben", "phone")
        self.assertLess(len(account.check([empty], {TALK: entries})), 10)


class JournalTest(unittest.TestCase):
    def read(self, lines: list[dict[str, object]], tail: str = "") -> Journal:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "ann.phone.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
            return account.read_journal(path)

    def test_last_line_cut_short_is_left_out(self) -> None:
        line: dict[str, object] = {"e": "sent", "conversation": TALK, "id": "a", "hash": "1"}
        journal = self.read([line], '{"e":"acked","conv')
        self.assertEqual(list(journal.sent), ["a"])
        self.assertEqual(journal.acked, {})

    def test_hash_is_compared_as_the_database_writes_it(self) -> None:
        line = {"e": "sent", "conversation": TALK, "id": "a", "hash": str((1 << 64) - 1)}
        self.assertEqual(self.read([line]).sent["a"], (TALK, -1))

    def test_dropped_messages_are_taken_back(self) -> None:
        received = {"e": "received", "conversation": TALK, "sender": "ben", "hash": "1"}
        lines: list[dict[str, object]] = [
            {**received, "seq": 1, "id": "a"},
            {**received, "seq": 2, "id": "b"},
            {"e": "dropped", "conversation": TALK, "from": 2},
            {**received, "seq": 2, "id": "c"},
        ]
        self.assertEqual([e.id for e in self.read(lines).received[TALK]], ["a", "c"])

    def test_two_unequal_acknowledgements_are_found(self) -> None:
        ack = {"e": "acked", "conversation": TALK, "id": "a"}
        journal = self.read([{**ack, "seq": 1}, {**ack, "seq": 2}])
        problems = account.check([copy.deepcopy(journal)], {})
        self.assertTrue(any(line.startswith("unequal acknowledgements") for line in problems))


TEAM = "g:team"


class GroupAccountTest(unittest.TestCase):
    """Ann made the group with Ben, invited Cat, wrote, removed Ben, wrote again."""

    def setUp(self) -> None:
        self.ann, self.ben, self.cat = (Journal(name, "phone") for name in ("ann", "ben", "cat"))
        self.entries = [Entry(seq, f"m{seq}", "ann", seq) for seq in range(1, 6)]
        self.history = {TEAM: list(self.entries)}
        for entry in self.entries:
            self.ann.sent[entry.id] = (TEAM, entry.hash)
            self.ann.acked[entry.id] = (TEAM, entry.seq)
        self.change(1, "Created", "ben")
        self.change(2, "Invited", "cat")
        self.change(4, "Removed", "ben")
        self.ann.received[TEAM] = list(self.entries)
        self.ben.received[TEAM] = self.entries[:4]
        self.cat.received[TEAM] = self.entries[1:]

    def change(self, seq: int, action: str, *users: str, history: bool = False) -> None:
        self.ann.changes[f"m{seq}"] = account.Change(TEAM, action, users, history)

    def problems(self) -> list[str]:
        return account.check([self.ann, self.ben, self.cat], self.history)

    def assert_found(self, kind: str) -> None:
        self.assertTrue(
            any(line.startswith(kind) for line in self.problems()), f"{kind}: {self.problems()}"
        )

    def test_clean_account_has_no_problems(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_what_a_former_member_sees_is_found(self) -> None:
        self.ben.received[TEAM].append(self.entries[4])
        self.assert_found("not for this user: ben/phone: g:team seq 5")

    def test_what_was_before_joining_is_found(self) -> None:
        self.cat.received[TEAM].insert(0, self.entries[0])
        self.assert_found("not for this user: cat/phone: g:team seq 1")

    def test_earlier_history_may_be_shown(self) -> None:
        self.change(1, "Created", "ben", history=True)
        self.assert_found("missing at a device: cat/phone: g:team seq 1")
        self.cat.received[TEAM].insert(0, self.entries[0])
        self.assertEqual(self.problems(), [])

    def test_message_missing_at_a_member_is_found(self) -> None:
        del self.ben.received[TEAM][2]
        self.assert_found("missing at a device: ben/phone: g:team seq 3")
        self.assert_found("not in order at a device")

    def test_who_comes_back_has_two_spans(self) -> None:
        back = Entry(6, "m6", "ann", 6)
        self.history[TEAM].append(back)
        self.ann.sent["m6"] = (TEAM, 6)
        self.ann.acked["m6"] = (TEAM, 6)
        self.change(6, "Invited", "ben")
        for journal in (self.ann, self.ben, self.cat):
            journal.received[TEAM].append(back)
        self.assertEqual(self.problems(), [])

    def test_disbanding_ends_all_memberships(self) -> None:
        self.change(4, "Disbanded")
        self.assert_found("not for this user: cat/phone: g:team seq 5")

    def test_change_that_was_not_acknowledged_changes_nothing(self) -> None:
        self.ann.changes["x"] = account.Change(TEAM, "Removed", ("cat",), False)
        self.ann.sent["x"] = (TEAM, 9)
        self.ann.refused["x"] = "FORBIDDEN"
        self.assertEqual(self.problems(), [])

    def test_changes_are_read_from_journals(self) -> None:
        journal = Journal("ann", "phone")
        line = {"e": "change", "conversation": TEAM, "id": "a", "action": "Invited"}
        account.add_line(journal, {**line, "users": ["ben"], "history": False})
        self.assertEqual(journal.changes["a"], account.Change(TEAM, "Invited", ("ben",), False))


if __name__ == "__main__":
    unittest.main()
