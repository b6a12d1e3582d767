"""One member floods a group: what goes beyond the rate is refused with a time, and only this member
waits. What was refused is accepted later, once."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

from groups import GroupDevice, text
from raw_client import register
from support import ClusterTest
from wire_client import ACK, ERROR, SEND, new_message_id

MEMBERS = ["ann", "ben", "cat", "dan"]
# A message to four of them a second, and four at once after a rest.
DELIVERIES_PER_S = len(MEMBERS)
FLOOD = 30


class GroupFlood(ClusterTest):
    dispatchers = 1
    apis = 0
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "dispatcher": {"dispatcher.sender_deliveries_per_s": DELIVERIES_PER_S}
    }

    def test_who_floods_a_group_waits_and_the_others_do_not(self) -> None:
        addresses = [edge.listen for edge in self.cluster.edges]
        register(addresses[0], *MEMBERS)
        ann = GroupDevice(addresses[0], "ann", "phone")
        self.addCleanup(ann.close)
        ben = GroupDevice(addresses[-1], "ben", "phone")
        self.addCleanup(ben.close)
        ann.create("team", *MEMBERS[1:])

        ids = [new_message_id() for _ in range(FLOOD)]
        asked = [
            ann.ask(SEND, to_group="team", client_msg_id=one, content=text("x")) for one in ids
        ]
        # While all that is answered: the others, and the one who floods elsewhere.
        first = ben.call(SEND, to_group="team", client_msg_id=new_message_id(), content=text("I"))
        self.assertEqual(first.command, ACK, first.body)
        to_ben = ann.send("ben", "and a word to you")
        self.assertEqual(to_ben.command, ACK, to_ben.body)

        answers = [ann.answer(request) for request in asked]
        refused = [
            (one, answer)
            for one, answer in zip(ids, answers, strict=True)
            if answer.command == ERROR
        ]
        self.assertGreaterEqual(FLOOD - len(refused), 4)
        self.assertGreater(len(refused), 0)
        for _, answer in refused:
            self.assertEqual(answer.body["name"], "RATE_LIMITED", answer.body)
            self.assertIs(answer.body["retryable"], True)
            self.assertGreater(answer.body["retry_after_ms"], 0)
            self.assertLessEqual(answer.body["retry_after_ms"], 1_001)
        again = refused[0][0]
        seq = ann.insist(SEND, again, to_group="team", content=text("x"))
        shown = ann.history("g:team")
        self.assertEqual([int(m["seq"]) for m in shown if m["client_msg_id"] == again], [seq])


if __name__ == "__main__":
    unittest.main()
