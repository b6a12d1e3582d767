"""The directory of the logs is wiped while everything is stopped, and what persist had not stored yet
is gone with it. The loss is told, the numbers of the lost messages are given anew, and no device
shows an old message for a new number."""

from __future__ import annotations

import json
import re
import time
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import account
import swarm
import traffic
from martlet_cluster.tool import Tool
from raw_client import PASSWORD, Device, register
from support import ClusterTest, chosen_seed, new_directory, wait_until

SHARDS = 16
GENERATION = 2  # of every log after the loss
TOLD = re.compile(r" (?:shard|generation)=(\d+)")
STAY = [f"stay{number:02}" for number in range(30)]  # connected until the servers go, and again after
LEAVE = [f"leave{number:02}" for number in range(20)]  # stopped before, started again after
DEVICES = ("d1", "d2")
RATES = {"stay": 0.6 * traffic.RATE, "leave": 0.4 * traffic.RATE}
MESSAGES = 1000  # of each part: stored, lost, new; by all fifty users
CONVERSATION = "u:cara:dave"
STORED = [f"stored {number}" for number in range(1, 6)]
LOST = [f"lost {number}" for number in range(1, 5)]
NEW = ["new 1", "new 2"]  # fewer than were lost


def shown(lines: Iterable[str]) -> list[tuple[int, str]]:
    """Seqs and texts that somebody who reads the tool's lines has, in their order."""
    messages: list[tuple[int, str]] = []
    for line in lines:
        said = json.loads(line)
        if said["type"] == "message":
            messages.append((said["seq"], said["content"]["text"]))
        elif said["type"] == "dropped":
            messages = [message for message in messages if message[0] < said["from"]]
    return messages


class LostLog(ClusterTest):
    """All tests look at what one wiped log did."""

    apis = 0
    stay: ClassVar[swarm.Swarm]
    leave: ClassVar[swarm.Swarm]
    directories: ClassVar[dict[str, Path]]
    lost: ClassVar[set[str]]  # ids of acknowledged messages
    before: ClassVar[account.History]  # what PostgreSQL had when the log was wiped
    phone: ClassVar[list[str]]  # what cara's devices printed
    tablet: ClassVar[list[str]]
    history: ClassVar[list[tuple[int, str]]]
    acks: ClassVar[list[dict[str, Any]]]
    event: ClassVar[dict[str, Any]]
    summaries: ClassVar[list[dict[str, Any]]]
    rates: ClassVar[list[float]]  # messages a second, before the log was wiped and after

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        swarm.add_accounts(cls.cluster, [*STAY, *LEAVE])
        register(cls.cluster.edges[0].listen, "cara", "dave")
        cls.directories = {"stay": new_directory("stay"), "leave": new_directory("leave")}
        cls.stay, cls.leave = cls.start_swarm("stay", STAY), cls.start_swarm("leave", LEAVE)
        cls.phone, cls.tablet, cls.acks, cls.rates = [], [], [], []
        home = new_directory("cara")
        phone, tablet = cls.log_in_cara(home, "phone"), cls.log_in_cara(home, "tablet")
        with phone.start("listen") as listening:
            with tablet.start("listen") as other:
                cls.write_stored_and_lost([listening, other])
            cls.tablet += other.lines
            cls.wipe_the_log()
            cls.write_new()
            listening.wait_for(NEW[-1])
        cls.phone += listening.lines
        cls.tablet += tablet.run("sync").lines
        cls.history = shown(phone.run("history", "dave", "--limit", "0").lines)

    @classmethod
    def start_swarm(cls, name: str, users: list[str]) -> swarm.Swarm:
        """Devices that keep what they were told; a second start goes on with it."""
        directory = cls.directories[name]
        members = swarm.members(users, [edge.listen for edge in cls.cluster.edges], DEVICES)
        for member in members:
            member["store"] = str(directory / f"{member['user']}.{member['device']}")
        started = swarm.Swarm(
            directory,
            members=members,
            pairs=swarm.ring(users),
            register=False,
            rate=RATES[name],
            seed=chosen_seed(),
        )
        cls.addClassCleanup(started.close)
        started.wait("ready")
        return started

    @classmethod
    def log_in_cara(cls, home: Path, device: str) -> Tool:
        password = home / "password"
        password.write_text(PASSWORD + "\n")
        tool = Tool([edge.listen for edge in cls.cluster.edges], home / device, ["--json"])
        done = tool.run("login", "cara", "--device", device, "--password-file", str(password))
        assert done.code == 0, done.errors
        return tool

    @classmethod
    def sent(cls) -> int:
        return sum(group.tick()["sent"] for group in (cls.stay, cls.leave))

    @classmethod
    def write(cls) -> None:
        """So many messages are acknowledged, and shown by all devices."""
        before, begin = cls.sent(), time.monotonic()
        for group in (cls.stay, cls.leave):
            group.ask("start", "sending")
        wait_until(lambda: cls.sent() >= before + MESSAGES, what="messages sent")
        cls.rates.append((cls.sent() - before) / (time.monotonic() - begin))
        for group in (cls.stay, cls.leave):
            group.ask("stop", "stopped")
            wait_until(lambda g=group: cls.is_shown(g.tick()), what="messages shown")

    @staticmethod
    def is_shown(now: dict[str, Any]) -> bool:
        return bool(now["acked"] == now["sent"] and now["received"] == 2 * len(DEVICES) * now["sent"])

    @classmethod
    def write_stored_and_lost(cls, listening: list[Any]) -> None:
        for tool in listening:
            tool.wait_for('"online"')
        dave = Device(cls.cluster.edges[1].listen, "dave", "before")
        cls.addClassCleanup(dave.close)
        for text in STORED:
            dave.deliver("cara", text)
        cls.write()
        for group in (cls.stay, cls.leave):
            group.drain()  # so all of it is stored
        wait_until(lambda: len(cls.stored().get(CONVERSATION, [])) == len(STORED), what="rows")
        cls.cluster.stop_member("persist-1")
        for text in LOST:
            dave.deliver("cara", text)
        cls.write()
        for tool in listening:
            tool.wait_for(LOST[-1])

    @classmethod
    def stored(cls) -> account.History:
        return account.history_of(cls.cluster.psql(account.ROWS))

    @classmethod
    def wipe_the_log(cls) -> None:
        cls.leave.close()
        cls.before = cls.stored()
        known = {entry.id for entries in cls.before.values() for entry in entries}
        cls.lost = {i for j in cls.journals() for i in j.acked if i not in known}
        cls.cluster.stop()
        cls.cluster.wipe_member("nats")
        cls.cluster.start()

    @classmethod
    def write_new(cls) -> None:
        wire = Device(cls.cluster.edges[0].listen, "cara", "wire")
        dave = Device(cls.cluster.edges[1].listen, "dave", "after")
        for device in (wire, dave):
            cls.addClassCleanup(device.close)
        cls.acks = [dave.deliver("cara", text) for text in NEW]
        cls.event = wire.wait_messages(CONVERSATION, 1)[0]
        cls.leave = cls.start_swarm("leave", LEAVE)
        cls.write_after_the_loss()
        cls.summaries = [group.drain() for group in (cls.stay, cls.leave)]

    @classmethod
    def write_after_the_loss(cls) -> None:
        """What was lost is not counted as received again: acknowledgements tell here."""
        before, begin = cls.sent(), time.monotonic()
        acked = [g.ask("start", "sending")["acked"] for g in (cls.stay, cls.leave)]
        for group, count in zip((cls.stay, cls.leave), acked, strict=True):
            wait_until(
                lambda g=group, c=count: g.tick()["acked"] >= c + MESSAGES // 2,
                what="new messages",
            )
        cls.rates.append((cls.sent() - before) / (time.monotonic() - begin))

    @classmethod
    def journals(cls) -> list[account.Journal]:
        return [
            journal
            for directory in cls.directories.values()
            for journal in account.read_journals(directory / "journals")
        ]

    def test_the_loss_is_told(self) -> None:
        persist = self.cluster.persists[0]
        lines = [line for line in persist.log.read_text().splitlines() if "log_lost_its_tail" in line]
        self.assertTrue(all("level=error" in line for line in lines), lines)
        told = {tuple(map(int, TOLD.findall(line))) for line in lines}
        self.assertEqual(told, {(shard, GENERATION) for shard in range(SHARDS)})
        raised = persist.metrics()["martlet_persist_bases_raised_total"]
        self.assertEqual((raised, len(lines)), (SHARDS, SHARDS))
        rows = self.cluster.psql("SELECT DISTINCT generation FROM shards")
        self.assertEqual(rows, [[str(GENERATION)]])

    def test_new_messages_have_the_numbers_of_the_lost_ones(self) -> None:
        first = len(STORED) + 1
        self.assertEqual([int(ack["seq"]) for ack in self.acks], [first, first + 1])
        self.assertEqual([ack["generation"] for ack in self.acks], [GENERATION] * 2)
        event = (int(self.event["seq"]), self.event["generation"])
        self.assertEqual(event, (first, GENERATION))
        self.assertEqual(self.event["client_msg_id"], self.acks[0]["client_msg_id"])

    def test_the_tool_drops_what_was_lost(self) -> None:
        had = list(enumerate(STORED + LOST, 1))
        have = list(enumerate(STORED + NEW, 1))
        for lines in (self.phone, self.tablet):
            self.assertEqual(shown(line for line in lines if '"dropped"' not in line)[:9], had)
            self.assertEqual(shown(lines), have)
        self.assertEqual(self.history, have)

    def test_devices_show_what_the_database_has(self) -> None:
        print(f"{len(self.lost)} lost, rates {self.rates}", *self.summaries, sep="\n")
        history = self.stored()
        self.assertGreaterEqual(len(self.lost), MESSAGES)
        least = traffic.least_rate()
        self.assertGreaterEqual(min(self.rates), least, "less traffic than asked for")
        for conversation, entries in self.before.items():
            self.assertEqual(history[conversation][: len(entries)], entries)
        journals = self.journals()
        for journal in journals:
            for message in self.lost:
                journal.sent.pop(message, None)
                journal.acked.pop(message, None)
        self.assertEqual(account.check(journals, history), [])
        for users, summary in zip((STAY, LEAVE), self.summaries, strict=True):
            self.assertEqual(summary["ended"], 0, "devices ended")
            # Every device has two conversations, in each of which it had seen lost messages.
            self.assertEqual(summary["dropped"], 2 * len(DEVICES) * len(users))


if __name__ == "__main__":
    unittest.main()
