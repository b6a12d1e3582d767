"""The account of ./dev chaos can fail: histories written by hand, each with one thing wrong, are
flagged by its name; a correct one of ten thousand messages is not."""

from __future__ import annotations

import json
import random
import unittest
from typing import Any

import support  # noqa: F401  makes the next lines possible
from chaos import checker, journal
from chaos.checker import Account
from chaos.journal import Shown
from chaos.membership import CREATED, INVITED, JOINED, LEFT, REMOVED, Change

TALK, TEAM = "u:ann:ben", "g:team"
LONG_HISTORY = 10_000

Line = dict[str, Any]
Rows = list[tuple[str, Shown, Change | None]]


def shown_line(conversation: str, entry: Shown, kind: str = "received") -> Line:
    place = {"conversation": conversation, "seq": entry.seq, "id": entry.id}
    return {"e": kind, **place, "sender": entry.sender, "hash": str(entry.hash), "at": 0}


class World:
    """Ann, Ben and Cy have a device each, "phone", Ben a second one, "desk"; every line is there to be
    broken. Messages are called by their senders and numbers: ann1, ben2."""

    def __init__(self) -> None:
        self.rows: Rows = []
        self.lines: dict[str, list[Line]] = {
            name: [{"e": "started", "at": 0}]
            for name in ("ann/phone", "ben/phone", "ben/desk", "cy/phone")
        }
        self.fresh: dict[str, list[Line]] = {}
        self._seqs: dict[str, int] = {}

    def say(self, conversation: str, sender: str, to: str, change: Change | None = None) -> str:
        """One message to these users, all is well with it."""
        seq = self._seqs[conversation] = self._seqs.get(conversation, 0) + 1
        entry = Shown(seq, f"{sender}{len(self.rows) + 1}", sender, 1000 + len(self.rows))
        self.rows.append((conversation, entry, change))
        own = self.lines[f"{sender}/phone"]
        sent = {"conversation": conversation, "id": entry.id, "at": 0}
        own.append({"e": "sent", "hash": str(entry.hash), **sent})
        if change is not None:
            own.append({"e": "change", **sent})
        own.append({"e": "acked", "seq": seq, **sent})
        for name, lines in self.lines.items():
            if name.split("/")[0] in to.split():
                lines.append(shown_line(conversation, entry))
        for user in to.split():
            self.fresh.setdefault(user, []).append(shown_line(conversation, entry, "history"))
        return entry.id

    def place(self, device: str, message: str, kind: str = "received") -> int:
        """The number of the line."""
        return next(
            number
            for number, line in enumerate(self.lines[device])
            if line["e"] == kind and line["id"] == message
        )

    def check(self) -> Account:
        account = Account()
        for row in self.rows:
            account.add_row(*row)
        account.index_users()
        for name, lines in self.lines.items():
            texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
            account.add_journal(journal.read(*name.split("/"), texts))
        for user, lines in self.fresh.items():
            texts = [json.dumps(line) for line in [*lines, {"e": "history_ends"}]]
            account.add_history_of(journal.read(user, "fresh", texts))
        account.finish()
        return account


def usual_world() -> World:
    """A talk, and a group that Cy is in from seq 3 to seq 5, and again from seq 7 on."""
    world = World()
    for number in range(6):
        world.say(TALK, "ann" if number % 2 == 0 else "ben", "ann ben")
    world.say(TEAM, "ann", "ann ben", Change(CREATED, ("ben",)))
    world.say(TEAM, "ben", "ann ben")
    world.say(TEAM, "ann", "ann ben cy", Change(INVITED, ("cy",)))
    world.say(TEAM, "cy", "ann ben cy")
    world.say(TEAM, "ann", "ann ben cy", Change(REMOVED, ("cy",)))
    world.say(TEAM, "ben", "ann ben")
    world.say(TEAM, "cy", "ann ben cy", Change(JOINED))
    world.say(TEAM, "ann", "ann ben cy")
    return world


class CheckerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.world = usual_world()
        self.ben = self.world.lines["ben/phone"]

    def assert_found(self, *names: str) -> Account:
        """These and nothing else."""
        account = self.world.check()
        self.assertEqual(set(account.findings.counts), set(names), account.findings.examples)
        self.assertFalse(account.is_clean)
        return account

    def test_nothing_is_wrong(self) -> None:
        account = self.world.check()
        self.assertEqual(account.findings.examples, {})
        self.assertTrue(account.is_clean)
        # Six at three devices; eight at the three of Ann and Ben, five at Cy's.
        self.assertEqual((account.expected_deliveries, account.delivered), (18 + 24 + 5,) * 2)
        self.assertEqual((account.history_expected, account.history_read), (12 + 16 + 5,) * 2)
        self.assertEqual((account.sent, account.acked, account.open), (14, 14, 0))

    # The seven of the promise.

    def test_one_is_lost(self) -> None:
        del self.ben[self.world.place("ben/phone", "ann3")]
        account = self.assert_found(checker.LOST)
        self.assertEqual(account.findings.counts[checker.LOST], 1)
        self.assertEqual(account.expected_deliveries - account.delivered, 1)
        self.assertEqual(account.findings.columns()["lost"], 1)

    def test_one_is_doubled(self) -> None:
        self.ben.append(self.ben[self.world.place("ben/phone", "ann3")])
        account = self.assert_found(checker.DOUBLED)
        self.assertEqual(account.findings.columns()["doubled"], 1)

    def test_two_are_swapped(self) -> None:
        one, two = (self.world.place("ben/phone", name) for name in ("ann3", "ann5"))
        self.ben[one], self.ben[two] = self.ben[two], self.ben[one]
        account = self.assert_found(checker.MISORDERED)
        self.assertGreaterEqual(account.findings.columns()["misordered"], 1)

    def test_there_is_a_gap(self) -> None:
        """Nobody has seq 4: neither the table nor a device, and its sender got no answer."""
        self.world.rows = [row for row in self.world.rows if row[1].id != "ben4"]
        for lines in (*self.world.lines.values(), *self.world.fresh.values()):
            lines[:] = [
                line for line in lines if line.get("id") != "ben4" or line["e"] == "sent"
            ]
        account = self.assert_found(checker.HOLE)
        self.assertEqual(account.findings.columns()["holes"], 1)
        self.assertEqual(account.open, 1)

    def test_a_seq_is_unequal_at_a_device(self) -> None:
        self.ben[self.world.place("ben/phone", "ann5")]["seq"] = 4
        account = self.assert_found(checker.UNEQUAL, checker.LOST)
        self.assertGreaterEqual(account.findings.columns()["misordered"], 1)

    def test_a_seq_is_unequal_in_the_acknowledgement(self) -> None:
        self.ben[self.world.place("ben/phone", "ben2", "acked")]["seq"] = 3
        self.assert_found(checker.UNEQUAL)

    def test_one_is_shown_to_a_member_who_was_removed(self) -> None:
        row = next(row for row in self.world.rows if row[0] == TEAM and row[1].seq == 6)
        cy = self.world.lines["cy/phone"]
        cy.insert(self.world.place("cy/phone", "cy13"), shown_line(TEAM, row[1]))
        account = self.assert_found(checker.TO_STRANGER)
        self.assertEqual(account.findings.columns()["others"], 1)

    def test_one_is_acknowledged_and_missing_in_history(self) -> None:
        message = self.world.say(TALK, "ben", "ann ben")
        self.world.rows.pop()
        for lines in (*self.world.lines.values(), *self.world.fresh.values()):
            lines[:] = [
                line for line in lines if line.get("id") != message or line["e"] in ("sent", "acked")
            ]
        account = self.assert_found(checker.MISSING)
        self.assertEqual(account.findings.columns()["lost"], 1)

    # The others.

    def test_one_is_shown_and_missing_in_history(self) -> None:
        self.world.say(TALK, "ben", "ann ben")
        self.world.rows.pop()
        self.assert_found(checker.MISSING, checker.UNKNOWN)

    def test_one_is_in_history_twice(self) -> None:
        self.world.rows.append((TALK, self.world.rows[2][1]._replace(seq=7), None))
        account = self.world.check()
        self.assertEqual(account.findings.counts[checker.DOUBLED_IN_HISTORY], 1)

    def test_two_have_one_seq_in_history(self) -> None:
        self.world.rows.insert(3, (TALK, Shown(3, "ann99", "ann", 7), None))
        account = self.world.check()
        self.assertEqual(account.findings.counts[checker.DOUBLED_IN_HISTORY], 1)
        self.assertEqual(account.findings.counts[checker.INVENTED], 1)

    def test_a_sender_s_order_is_not_kept(self) -> None:
        own = self.world.lines["ann/phone"]
        one, two = (self.world.place("ann/phone", name, "sent") for name in ("ann3", "ann5"))
        own[one], own[two] = own[two], own[one]
        self.assert_found(checker.MISORDERED)

    def test_words_are_changed(self) -> None:
        self.ben[self.world.place("ben/phone", "ann3")]["hash"] = "5"
        self.assert_found(checker.CHANGED, checker.LOST)

    def test_one_was_refused_and_is_in_history(self) -> None:
        line = {"e": "refused", "conversation": TALK, "id": "ben2", "code": "NOT_MEMBER", "at": 0}
        self.ben[self.world.place("ben/phone", "ben2", "acked")] = line
        self.assert_found(checker.REFUSED, checker.WRONGLY_REFUSED)

    def test_who_is_a_member_is_not_refused(self) -> None:
        for name, is_wrong in (("ben/phone", True), ("cy/phone", False)):
            with self.subTest(name=name):
                self.world = usual_world()
                said = {"conversation": TEAM, "id": "more", "at": 0}
                lines = self.world.lines[name]
                lines.append({"e": "sent", "hash": "1", **said})
                lines.append({"e": "refused", "code": "NOT_MEMBER", **said})
                found = self.world.check().findings.counts
                self.assertEqual(set(found), {checker.WRONGLY_REFUSED} if is_wrong else set())

    def test_one_is_missing_in_the_history_of_a_new_device(self) -> None:
        del self.world.fresh["cy"][2]
        account = self.assert_found(checker.LOST)
        self.assertEqual(account.history_expected - account.history_read, 1)
        self.assertEqual(account.expected_deliveries, account.delivered)

    def test_a_new_device_that_did_not_come_to_the_end(self) -> None:
        account = Account()
        account.add_history_of(journal.read("ann", "fresh", []))
        self.assertEqual(set(account.findings.counts), {checker.NOT_READ})

    def test_what_the_server_took_back(self) -> None:
        self.ben.append({"e": "dropped", "conversation": TALK, "from": 5, "at": 0})
        self.assert_found(checker.TAKEN_BACK)

    # What a kill of the client leaves behind.

    def test_a_killed_device_may_show_its_last_message_again(self) -> None:
        again = self.ben[-1]
        other = self.ben[self.world.place("ben/phone", "ann1")]
        for shown, names in (([again], set()), ([again, again], {checker.DOUBLED})):
            with self.subTest(names=names):
                self.world.lines["ben/phone"] = [*self.ben, {"e": "started", "at": 0}, *shown]
                account = self.world.check()
                self.assertEqual(set(account.findings.counts), names)
                self.assertEqual(account.again_after_kill, 1)
        self.world.lines["ben/phone"] = [*self.ben, {"e": "started", "at": 0}, other]
        self.assert_found(checker.DOUBLED)

    def test_a_line_cut_short_by_a_kill_does_not_count(self) -> None:
        cut: Any = json.dumps(self.ben[-1])[:-9]
        self.ben[-1:] = [cut, {"e": "started", "at": 0}, self.ben[-1]]
        self.assertTrue(self.world.check().is_clean)
        self.ben[-2:] = [self.ben[-1]]
        with self.assertRaisesRegex(ValueError, "broken line"):
            self.world.check()

    def test_who_left_sees_the_leaving_and_nothing_after_it(self) -> None:
        self.world.say(TEAM, "cy", "ann ben cy", Change(LEFT))
        self.world.say(TEAM, "ann", "ann ben")
        self.assertTrue(self.world.check().is_clean)


class LongHistory(unittest.TestCase):
    def test_ten_thousand_messages(self) -> None:
        world, chance = World(), random.Random(1)
        world.say(TEAM, "ann", "ann ben", Change(CREATED, ("ben",)))
        is_in = False
        while len(world.rows) < LONG_HISTORY:
            if chance.random() < 0.05:
                action = REMOVED if is_in else INVITED
                world.say(TEAM, "ann", "ann ben cy", Change(action, ("cy",)))
                is_in = not is_in
            elif chance.random() < 0.5:
                world.say(TEAM, chance.choice(["ann", "ben"]), "ann ben cy" if is_in else "ann ben")
            else:
                world.say(TALK, chance.choice(["ann", "ben"]), "ann ben")
        account = world.check()
        self.assertEqual(account.findings.examples, {})
        self.assertTrue(account.is_clean)
        self.assertEqual(account.acked, LONG_HISTORY)
        self.assertGreater(account.expected_deliveries, 3 * LONG_HISTORY)


if __name__ == "__main__":
    unittest.main()
