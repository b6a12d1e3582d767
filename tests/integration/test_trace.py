"""Where is my message? `martlet trace` and GET /v1/trace: each hop of a message whose sender asked for it, what is
durable of every other, and what is not known is not said to be absent."""

from __future__ import annotations

import json
import re
import urllib.parse
from typing import Any, ClassVar

from groups import GroupDevice, text
from raw_client import register
from support import ClusterTest, new_directory, wait_until
from swarm import add_accounts
from wire_client import ACK, ERROR, READ, SEND, new_message_id

from martlet_cluster import keys
from martlet_cluster.nats_probe import NatsProbe
from martlet_cluster.tool import Finished, Tool

SECRET = "the secret words of this test"
CROWD = [f"crowd{number:03}" for number in range(100)]
RECEIVERS = [f"receiver{number:02}" for number in range(11)]
SENDERS_PART = [
    "edge in",
    "published by edge",
    "dispatcher in",
    "append sent",
    "append acknowledged",
    "answer to sender's edge",
    "answer at edge",
    "answer written to socket",
]

Page = dict[str, Any]


class Traced(ClusterTest):
    edges = 2
    dispatchers = 2
    overrides: ClassVar[dict[str, dict[str, Any]]] = {"edge": {"edge.trace_permille": 0}}
    ann: ClassVar[GroupDevice]
    ben: ClassVar[GroupDevice]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        first, second = (edge.listen for edge in cls.cluster.edges)
        register(first, "ann", "ben", "carol")
        cls.ann, cls.ben = GroupDevice(first, "ann", "phone"), GroupDevice(second, "ben", "phone")
        for device in (cls.ann, cls.ben):
            cls.addClassCleanup(device.close)
        cls.ann.deliver("ben", "warm")

    def get(self, role: str = "operator", **query: str) -> tuple[int, Page]:
        page = "/v1/trace?" + urllib.parse.urlencode(query)
        status, answer = self.cluster.apis[0].get(page, timeout_s=30, role=role)
        self.assertNotIn(SECRET, answer)
        return status, dict(json.loads(answer))

    def look_up(self, **query: str) -> Page:
        """The only message of the answer."""
        status, page = self.get(**query)
        self.assertEqual(status, 200, page)
        self.assertEqual(len(page["messages"]), 1, page)
        return dict(page["messages"][0])

    def followed(self, hops: int, **query: str) -> Page:
        """When so many hops are there: processes tell them every tenth of a second."""

        def told() -> Page | None:
            _, page = self.get(**query)
            found = page.get("messages") or [{}]
            return found[0] if len(found[0].get("hops", [])) >= hops else None

        return wait_until(told, what=f"{hops} hops of {query}") or {}

    def tool(self, *words: str) -> Finished:
        token = keys.api_token_file(self.cluster.directory, "operator")
        api = f"http://{self.cluster.apis[0].http}"
        servers = [edge.listen for edge in self.cluster.edges]
        options = ["--api", api, "--api-token-file", str(token)]
        return Tool(servers, new_directory("home"), options).run(*words)

    def say(self, trace: bool = True, **to: str) -> Page:
        answer = self.ann.call(
            SEND, client_msg_id=new_message_id(), content=text(SECRET), age_ms=0, trace=trace, **to
        )
        self.assertEqual(answer.command, ACK, answer.body)
        return dict(answer.body)

    def assert_in_order(self, message: Page) -> None:
        times = [hop["time_us"] for hop in message["hops"]]
        self.assertEqual(times, sorted(times))
        self.assertFalse([hop for hop in message["hops"] if "impossible_us" in hop])


class HopByHop(Traced):
    def test_a_message_of_two_tells_each_hop_of_each_process(self) -> None:
        ack = self.say(to_user="ben")
        # Beside the sender's part: fanned out, and each edge has an event and writes it.
        message = self.followed(13, message=ack["message_id"])
        self.assertEqual((message["shows"], message["flagged"]), ("hops", True))
        hops = message["hops"]
        names = [hop["hop"] for hop in hops]
        self.assertEqual([name for name in names if name in SENDERS_PART], SENDERS_PART)
        self.assertEqual(names.count("fanned out"), 1)
        self.assertGreater(names.index("fanned out"), names.index("append acknowledged"))
        self.assert_in_order(message)

        first, second = (edge.name for edge in self.cluster.edges)
        by_process = {(hop["hop"], hop["process"]): hop for hop in hops}
        self.assertIn(("edge in", first), by_process)
        self.assertIn(("answer written to socket", first), by_process)
        self.assertEqual(by_process["event at edge", second]["user"], "ben")
        self.assertEqual(by_process["written to sockets", second]["sessions"], 1)
        # The sender has no other device.
        self.assertEqual(by_process["written to sockets", first]["sessions"], 0)
        owners = {hop["process"] for hop in hops if hop["service"] == "dispatcher"}
        self.assertEqual(len(owners), 1, owners)
        self.assertTrue(owners.pop().startswith("dispatcher-"))

    def test_all_three_keys_name_the_same_message(self) -> None:
        ack = self.say(to_user="ben")
        by_id = self.followed(13, message=ack["message_id"])
        by_seq = self.look_up(conversation=ack["conversation"], seq=ack["seq"])
        by_client = self.look_up(client_msg_id=ack["client_msg_id"])
        self.assertEqual(by_id["hops"], by_seq["hops"])
        self.assertEqual(by_id["hops"], by_client["hops"])
        for found in (by_id, by_seq, by_client):
            self.assertEqual(found["conversation"], "u:ann:ben")
            self.assertEqual(str(found["seq"]), ack["seq"])
            self.assertEqual(found["message_id"], ack["message_id"])
            self.assertEqual(found["sender"], "ann")

    def test_a_message_to_a_group_tells_each_hop(self) -> None:
        self.ann.create("crew", "ben")
        self.ben.wait_added("crew")
        ack = self.say(to_group="crew")
        message = self.followed(13, message=ack["message_id"])
        self.assert_in_order(message)
        names = [hop["hop"] for hop in message["hops"]]
        self.assertEqual([name for name in names if name in SENDERS_PART], SENDERS_PART)
        fanned_out = next(hop for hop in message["hops"] if hop["hop"] == "fanned out")
        self.assertEqual(fanned_out["subjects"], 1)
        written = {
            hop["process"]: hop["sessions"]
            for hop in message["hops"]
            if hop["hop"] == "written to sockets"
        }
        first, second = (edge.name for edge in self.cluster.edges)
        self.assertEqual(written, {first: 0, second: 1})

    def test_one_that_was_refused_says_why_though_it_is_in_no_log(self) -> None:
        message_id = new_message_id()
        answer = self.ann.call(
            SEND, to_user="nobody", client_msg_id=message_id, content=text(SECRET), trace=True
        )
        self.assertEqual(answer.command, ERROR)
        message = self.followed(6, client_msg_id=message_id)
        self.assertIsNone(message["durable"])
        refused = next(hop for hop in message["hops"] if hop["hop"] == "answer to sender's edge")
        self.assertEqual(refused["error"], "NO_SUCH_USER")

    def test_the_command_prints_a_line_a_hop(self) -> None:
        ack = self.say(to_user="ben")
        self.followed(13, message=ack["message_id"])
        done = self.tool("trace", f"{ack['conversation']}:{ack['seq']}")
        self.assertEqual(done.code, 0, done.errors)
        self.assertEqual(done.lines[0], "recorded: hop by hop, as its sender asked")
        self.assertTrue(any(re.search(r"\+\d+ +append acknowledged +dispatcher-", line) for line in done.lines))
        self.assertNotIn(SECRET, "\n".join(done.lines))
        page = json.loads(self.tool("--json", "trace", ack["message_id"]).lines[0])
        self.assertEqual(page["messages"][0]["shows"], "hops")

    def test_the_command_can_ask_that_its_message_is_followed(self) -> None:
        servers = [edge.listen for edge in self.cluster.edges]
        device = Tool(servers, new_directory("dora"), ["--json"])
        with (new_directory("word") / "password").open("w") as file:
            file.write("correct horse\n")
        done = device.run("register", "dora", "--password-file", file.name)
        self.assertEqual(done.code, 0, done.errors)
        done = device.run("send", "ben", SECRET, "--trace")
        self.assertEqual(done.code, 0, done.errors)
        acked = json.loads(done.lines[-1])
        message = self.followed(10, client_msg_id=acked["client_msg_id"])
        self.assertTrue(message["flagged"])


class WhatIsDurable(Traced):
    def stored(self, ack: Page) -> Page:
        return self.look_up(message=ack["message_id"])

    def test_a_message_like_others_shows_what_is_durable(self) -> None:
        ack = self.say(trace=False, to_user="ben")
        # Acknowledged, so it is found at once: the answer waits for the database.
        message = self.stored(ack)
        self.assertEqual(message["shows"], "durable")
        self.assertNotIn("hops", message)
        durable = message["durable"]
        self.assertEqual((durable["kind"], durable["stored"], durable["in_log"]), ("Text", True, True))
        self.assertGreaterEqual(durable["watermark"], durable["position"])
        self.assertGreater(durable["bytes"], len(SECRET))
        self.assertEqual(durable["time_ms"], int(ack["time_ms"]))
        for query in (
            {"conversation": ack["conversation"], "seq": ack["seq"]},
            {"client_msg_id": ack["client_msg_id"]},
        ):
            found = self.look_up(**query)
            self.assertEqual(found["durable"]["position"], durable["position"])
        done = self.tool("trace", ack["client_msg_id"])
        self.assertEqual(done.lines[0], "not recorded: what is durable")

    def test_members_are_told_with_their_cursors_and_whether_they_may_see_it(self) -> None:
        self.ann.create("team", "ben")
        ack = self.say(trace=False, to_group="team")
        self.ann.invite("team", "carol")
        self.ben.call(READ, conversation="g:team", seq=ack["seq"])

        def members() -> dict[str, Page]:
            return {one["user"]: one for one in self.stored(ack)["durable"]["members"]}

        found = wait_until(lambda: (m := members())["ben"]["read"] and m, what="the cursor")
        self.assertEqual(set(found), {"ann", "ben", "carol"})
        self.assertTrue(found["ann"]["sees"] and found["ben"]["sees"])
        self.assertFalse(found["carol"]["sees"])
        self.assertFalse(found["ann"]["read"])
        self.ann.remove("team", "ben")
        former = members()["ben"]
        self.assertEqual((former["sees"], former["member"], former["read"]), (True, False, True))

    def test_of_a_large_group_a_hundred_members_are_listed_and_all_counted(self) -> None:
        add_accounts(self.cluster, CROWD)
        self.ann.create("crowd", *CROWD)
        durable = self.stored(self.say(trace=False, to_group="crowd"))["durable"]
        self.assertEqual((len(durable["members"]), durable["members_count"]), (100, 101))

    def test_of_an_id_in_many_conversations_the_ten_newest_are_told(self) -> None:
        add_accounts(self.cluster, RECEIVERS)
        message_id = new_message_id()
        for user in RECEIVERS:
            self.ann.deliver(user, SECRET, message_id)
        _, page = self.get(client_msg_id=message_id)
        found = [message["conversation"] for message in page["messages"]]
        self.assertEqual(found, [f"u:ann:{user}" for user in reversed(RECEIVERS[1:])])

    def test_the_same_id_in_two_conversations_is_two_messages(self) -> None:
        message_id = new_message_id()
        for user in ("ben", "carol"):
            self.ann.deliver(user, SECRET, message_id)
        status, page = self.get(client_msg_id=message_id)
        self.assertEqual(status, 200)
        found = [message["conversation"] for message in page["messages"]]
        self.assertEqual(found, ["u:ann:carol", "u:ann:ben"])

    def test_what_does_not_exist_is_not_found(self) -> None:
        for query in (
            {"message": "12345"},
            {"message": str(2**62)},
            {"conversation": "u:ann:ben", "seq": "100000"},
            {"conversation": "g:nowhere", "seq": "1"},
            {"client_msg_id": new_message_id()},
        ):
            status, page = self.get(**query)
            self.assertEqual((status, page["error"]), (404, "NO_SUCH_MESSAGE"), query)
        done = self.tool("trace", "12345")
        self.assertEqual(done.code, 1)
        self.assertIn("NO_SUCH_MESSAGE", done.errors)

    def test_a_bad_question_is_refused(self) -> None:
        for query in ({}, {"message": "x"}, {"message": "1", "seq": "2"}, {"conversation": "g:team"}):
            status, page = self.get(**query)
            self.assertEqual(status, 400, page)

    def test_who_may_only_look_may_not_ask(self) -> None:
        status, page = self.get(role="viewer", message="1")
        self.assertEqual((status, page["error"]), (403, "FORBIDDEN"))
        status, _ = self.get(role="admin", message="1")
        self.assertEqual(status, 404)


class WithoutPostgres(Traced):
    def test_what_is_not_stored_yet_is_not_said_to_be_absent(self) -> None:
        self.cluster.stop_member("postgres")
        plain = self.say(trace=False, to_user="ben")
        flagged = self.say(to_user="ben")
        status, page = self.get(message=plain["message_id"])
        self.assertEqual((status, page["behind"], page["messages"]), (200, True, []), page)
        done = self.tool("trace", plain["message_id"])
        self.assertEqual(done.code, 3, done.errors)
        self.assertTrue(done.lines[0].startswith("behind: "), done.lines)

        # What is followed is told all the same.
        message = self.followed(13, message=flagged["message_id"])
        self.assertIsNone(message["durable"])
        by_seq = self.look_up(conversation="u:ann:ben", seq=flagged["seq"])
        self.assertEqual(by_seq["client_msg_id"], message["client_msg_id"])

        self.cluster.start_member("postgres")
        for ack in (plain, flagged):
            found = wait_until(
                lambda ack=ack: (page := self.get(message=ack["message_id"])[1])
                and not page["behind"]
                and page["messages"],
                what="the database to have followed",
            )
            self.assertEqual(found[0]["durable"]["stored"], True)


class ByChance(Traced):
    overrides: ClassVar[dict[str, dict[str, Any]]] = {"edge": {"edge.trace_permille": 1000}}

    def test_messages_are_followed_that_nobody_asked_for(self) -> None:
        ack = self.say(trace=False, to_user="ben")
        message = self.followed(13, message=ack["message_id"])
        self.assertFalse(message["flagged"])

    def test_no_content_travels_with_the_hops(self) -> None:
        probe = NatsProbe(self.cluster.nats)
        self.addCleanup(probe.close)
        heard = probe.subscribe("im.trace")
        ack = self.say(trace=False, to_user="ben")
        raw_id = bytes.fromhex(ack["client_msg_id"])
        told = wait_until(lambda: [m for m in heard.messages if raw_id in m.data], what="hops")
        self.assertFalse([message for message in told if SECRET.encode() in message.data])
