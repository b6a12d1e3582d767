"""A dispatcher's append is on its way when another one takes the shard over, and reaches the broker
after the successor's first entry. It is refused: what it held is in the log once, by the successor."""

from __future__ import annotations

import re
import time
import unittest
from typing import Any, ClassVar

import account
import shard_logs
import swarm
from martlet_cluster.nats_probe import NatsProbe
from martlet_cluster.proxy import Proxy
from raw_client import PASSWORD, age_ms, new_message_id, register
from support import LinkedClusterTest, chosen_seed, longer, new_directory, wait_until
from wire_client import ACK, SEND, Frame, WireClient, make_frame

OWNER, OTHER = "dispatcher-1", "dispatcher-2"
SHARDS = 16
TURNS = 3
USERS = [f"user{number:02}" for number in range(20)]
RATE = 200
# Conversations with each of them: some of their shards are the owner's.
PEERS = [f"peer{number}" for number in range(8)]
APPEND = re.compile(rb"HPUB im\.log\.(\d+) ")
WRONG_SEQUENCE = b"wrong last sequence"


class Observer:
    """What passes between the owner and the broker, and where to hold it."""

    def __init__(self, link: Proxy) -> None:
        self._link = link
        self._seen: list[bytes] = []
        self.refusals = 0
        self.held_shard = -1
        link.drop_when = self._watch

    def _watch(self, direction: str, data: bytes) -> bool:
        if direction == "up":
            self._seen.append(data)
        else:
            self.refusals += data.count(WRONG_SEQUENCE)
        return False

    def saw(self, text: str) -> bool:
        return any(text.encode() in data for data in self._seen)

    def hold_append_of(self, text: str) -> None:
        """Nothing shows a message before it is in the log: the first piece with it is the append."""

        def is_it(direction: str, data: bytes) -> bool:
            place = data.find(text.encode())
            appends = APPEND.findall(data, 0, max(place, 0))
            if direction != "up" or not appends:
                return False
            self.held_shard = int(appends[-1])
            return True

        self._seen.clear()
        self._link.hold_when = is_it


class FenceTest(LinkedClusterTest):
    apis = 0
    linked = OWNER
    # What is in the logs stays there, so that it can be read from its start.
    overrides: ClassVar[dict[str, dict[str, Any]]] = {
        "persist": {"persist.keep_s": int(longer(600))}
    }
    observer: ClassVar[Observer]
    traffic: ClassVar[swarm.Swarm]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.observer = Observer(cls.link)
        swarm.add_accounts(cls.cluster, USERS)
        register(cls.cluster.edges[0].listen, "ann", *PEERS)
        cls.traffic = swarm.Swarm(
            new_directory("traffic"),
            members=swarm.members(USERS, [edge.listen for edge in cls.cluster.edges]),
            pairs=swarm.ring(USERS, 5),
            register=False,
            rate=RATE,
            seed=chosen_seed(),
        )
        cls.addClassCleanup(cls.traffic.close)
        cls.traffic.wait("ready")

    def setUp(self) -> None:
        self.addCleanup(self.link.release)
        self.logs = shard_logs.ShardLogs(self.cluster.nats)
        self.traffic.ask("start", "sending")

    def metric(self, name: str, series: str) -> float:
        return self.cluster.service(name).metrics()[f"martlet_dispatcher_{series}"]

    def append_failures(self) -> float:
        """Of the owner; one that has waited too long for its answer counts as unknown."""
        kinds = ("wrong_sequence", "refused", "unknown")
        series = (f'append_failures_total{{failure="{kind}"}}' for kind in kinds)
        return sum(self.metric(OWNER, name) for name in series)

    def is_spread(self) -> bool:
        owned = [self.metric(name, "shards_serving") for name in (OWNER, OTHER)]
        return sum(owned) == SHARDS and min(owned) == SHARDS / 2

    def end_of_log(self, shard: int) -> int:
        with NatsProbe(self.cluster.nats) as probe:
            return int(probe.streams()[f"IM_LOG_{shard}"]["last_seq"])

    def send(self, client: WireClient, peer: str, text: str, message_id: str) -> int:
        """The request's number; its answer is not waited for."""
        client.requests += 1
        content = {"kind": "Text", "text": text}
        body = {"to_user": peer, "client_msg_id": message_id, "content": content}
        client.write(make_frame(SEND, {**body, "age_ms": age_ms(message_id)}, client.requests))
        return client.requests

    def peer_of_owner(self, client: WireClient) -> str:
        """One whose conversation with ann is in a shard of the owner behind the proxy."""
        for peer in PEERS:
            message_id = new_message_id()
            text = f"is it yours? {message_id}"
            answer = client.read_answer(self.send(client, peer, text, message_id))
            self.expect_ack(answer, message_id)
            if self.observer.saw(text):
                return peer
        raise AssertionError("the owner has no shard of ann's conversations")

    def expect_ack(self, answer: Frame | None, message_id: str) -> dict[str, Any]:
        assert answer is not None, "the edge closed the connection"
        self.assertEqual(answer.command, ACK, answer.body)
        self.assertEqual(answer.body["client_msg_id"], message_id)
        return answer.body

    def turn(self, number: int, *, is_paused: bool) -> tuple[str, dict[str, Any]]:
        """The message of the held append, and its acknowledgement."""
        wait_until(self.is_spread, what="both have half of the shards")
        client = WireClient(self.cluster.edges[number % 2].listen)
        self.addCleanup(client.close)
        client.login("ann", PASSWORD, f"phone{number}")
        peer = self.peer_of_owner(client)
        failures, taken = self.append_failures(), self.metric(OWNER, "take_overs_total")

        message_id = new_message_id()
        text = f"held {message_id}"
        self.observer.hold_append_of(text)
        request = self.send(client, peer, text, message_id)
        self.let_it_arrive_late(is_paused)
        wait_until(lambda: self.append_failures() > failures, what="the refusal is counted")
        ack = self.expect_ack(client.read_answer(request), message_id)
        wait_until(
            lambda: self.metric(OWNER, "take_overs_total") > taken and self.is_spread(),
            what="the owner to have let go, and half of the shards again",
        )
        self.assertTrue(client.is_alive())  # all that the edge wrote before is here
        self.assertNotIn(request, [frame.request_id for frame in client.passed], "a second ACK")
        return message_id, ack

    def let_it_arrive_late(self, is_paused: bool) -> None:
        """The append that is to be held, after the successor's first entry."""
        refusals = self.observer.refusals
        wait_until(lambda: self.link.is_holding, what="an append under way")
        begin = time.monotonic()
        if is_paused:
            self.cluster.pause(OWNER)
        shard = self.observer.held_shard
        end = self.end_of_log(shard)
        # Only a successor can have written: what the owner sends stays in the proxy.
        wait_until(lambda: self.end_of_log(shard) > end, what="the successor's first entry")
        print(f"shard {shard}: taken over {time.monotonic() - begin:.1f} s after the hold")
        self.link.release()
        wait_until(lambda: self.observer.refusals > refusals, what="the broker refuses the append")
        if is_paused:
            self.cluster.resume(OWNER)

    def check_account(self, acks: dict[str, dict[str, Any]]) -> None:
        summary = self.traffic.drain()
        print(summary)
        print({k: v for k, v in self.cluster.service(OWNER).metrics().items() if "failures" in k})
        self.assertEqual(self.logs.check(), [], "the logs")
        self.assertEqual(swarm.problems_of(self.traffic, self.cluster), [])
        self.assertEqual(summary["ended"], 0, "devices ended")
        self.assertEqual(summary["refused"], 0, "messages were refused")
        history = account.history_of(self.cluster.psql(account.ROWS))
        for message_id, ack in acks.items():
            places = [e.seq for e in history[ack["conversation"]] if e.id == message_id]
            self.assertEqual(places, [int(ack["seq"])])

    def test_an_append_that_the_network_held(self) -> None:
        self.check_account(dict(self.turn(n, is_paused=False) for n in range(TURNS)))

    def test_an_append_of_a_dispatcher_that_stood_still(self) -> None:
        self.check_account(dict(self.turn(n, is_paused=True) for n in range(TURNS)))


if __name__ == "__main__":
    unittest.main()
