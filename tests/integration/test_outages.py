"""Under traffic, a server that messages do not need at once goes away for a while and comes back.
The account is kept by the senders and compared with every device's own log and with PostgreSQL."""

from __future__ import annotations

import json
import time
import unittest
from typing import Any

from support import wait_until
from traffic import RATE, USERS, TrafficTest
from wire_client import ACK, GOODBYE, SEND, STORED_EVENT, Frame, WireClient, new_message_id

PASSWORD = "correct horse"
WARM_UP_MESSAGES = 2500  # every conversation is known to its dispatcher then
MESSAGES_DURING_AN_OUTAGE = 2500
MESSAGES_WITHOUT_PERSIST = 20 * RATE  # 20 s
SENDS_MEANWHILE = 20
ACK_AT_ONCE_S = 3.0  # an ACK that waited for the database would take as long as the outage
REDIS_RESTORED_S = 10


class OutagesTest(TrafficTest):
    reach = 2

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.traffic.ask("start", "sending")
        cls.wait_for_more(WARM_UP_MESSAGES)

    def wire_session(self, user: str, edge: int = 0, *, register: bool = True) -> WireClient:
        client = WireClient(self.cluster.edges[edge].listen)
        self.addCleanup(client.close)
        client.login(user, PASSWORD, "wire", register=register)
        return client

    def send(self, client: WireClient, to: str, want: str = "Logged") -> dict[str, Any]:
        """The ACK."""
        content = {"kind": "Text", "text": "x"}
        body = {"client_msg_id": new_message_id(), "content": content, "age_ms": 0, "want": want}
        answer = client.call(SEND, to_user=to, **body)
        self.assertEqual(answer.command, ACK, answer)
        return answer.body

    def wait_stored(self, client: WireClient, ack: dict[str, Any]) -> None:
        """The ACK says it itself when the database was faster than the log's answer."""
        if ack["level"] == "Stored":
            return

        def is_it(frame: Frame) -> bool:
            return frame.command == STORED_EVENT and frame.body["seq"] == ack["seq"]

        client.wait_event(is_it)

    def test_live_goes_on_without_persist_and_history_is_complete_after(self) -> None:
        self.cluster.stop_member("persist-1")
        self.wait_for_more(MESSAGES_WITHOUT_PERSIST, timeout=90)
        stored_then = int(self.cluster.psql("select count(*) from messages")[0][0])
        acked = self.traffic.tick()["acked"]
        self.assertGreaterEqual(acked - stored_then, MESSAGES_WITHOUT_PERSIST)
        self.cluster.start_member("persist-1")
        self.check_account()

    def test_without_postgres_acks_come_at_once_and_stored_when_it_is_back(self) -> None:
        client = self.wire_session("wanda")
        self.wire_session("peter")
        self.wait_stored(client, self.send(client, "peter", "Stored"))
        self.cluster.stop_member("postgres")
        begin = time.monotonic()
        wanted = self.send(client, "peter", "Stored")
        self.assertLess(time.monotonic() - begin, ACK_AT_ONCE_S)
        self.assertEqual(wanted["level"], "Logged")
        seqs = [int(self.send(client, "peter")["seq"]) for _ in range(SENDS_MEANWHILE)]
        self.assertEqual(seqs, list(range(3, 3 + SENDS_MEANWHILE)))
        self.wait_for_more(MESSAGES_DURING_AN_OUTAGE)
        said = [frame for frame in client.passed if frame.command == STORED_EVENT]
        self.assertNotIn(wanted["seq"], [frame.body["seq"] for frame in said])
        self.cluster.start_member("postgres")
        self.wait_stored(client, wanted)
        rows = "select max(seq) from messages m join conversations c on c.id = m.conversation_id"
        where = f"{rows} where c.name = '{wanted['conversation']}'"
        self.assertGreaterEqual(int(self.cluster.psql(where)[0][0]), int(wanted["seq"]))
        self.check_account()

    def sessions_in_redis(self) -> set[tuple[str, str, str]]:
        """User, device, and the edge that it is on."""
        found = set()
        with self.cluster.redis.probe() as probe:
            for key in probe.keys("im:user:*"):
                values = iter(probe.command("HGETALL", key))
                for device, value in zip(values, values, strict=True):
                    address = json.loads(value)["address"]
                    found.add((key.removeprefix("im:user:"), device.decode(), address))
        return found

    def test_messages_need_no_redis_and_it_knows_all_sessions_soon_after(self) -> None:
        one, two = (edge.listen for edge in self.cluster.edges)
        leaver = self.wire_session("lena", 0)
        self.wire_session("stan", 1)
        live = {(user, "d1", (one, two)[place % 2]) for place, user in enumerate(USERS)}
        live.add(("stan", "wire", two))
        wait_until(lambda: live < self.sessions_in_redis(), what="every session in Redis")
        self.cluster.stop_member("redis")
        leaver.call(GOODBYE)
        self.wire_session("nora", 1)
        live.add(("nora", "wire", two))
        self.wait_for_more(MESSAGES_DURING_AN_OUTAGE)
        self.cluster.start_member("redis")
        wait_until(
            lambda: self.sessions_in_redis() == live,
            timeout=REDIS_RESTORED_S,
            what="exactly the live sessions in Redis",
        )
        self.check_account()


if __name__ == "__main__":
    unittest.main()
