"""Clients who behave badly cost only themselves: fifty users write on both edges meanwhile, lose
nothing and wait for no answer too long, and no service grows beyond what its limits allow. The table
in docs/operations.md names the limits."""

from __future__ import annotations

import itertools
import re
import socket
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import account
import swarm
from hostile import (
    Flood,
    Herd,
    Hostiles,
    Strangers,
    deaf_socket,
    drip,
    garbage,
    guess,
    log_in,
    peak_mib,
    reset_peak,
    same,
    sends,
    typing,
)
from support import longer, new_directory, wait_until  # also makes martlet_cluster possible
from traffic import TrafficTest
from wire_client import AUTH, HEADER, PING, SEND, make_frame

from martlet_cluster.tool import Finished, Tool

TIMEOUT_S = 400

# On top of what a service holds before: 2,000 strangers with 12 KiB each and two clients with a full
# output queue of 5 MiB are 34 MiB of an edge; as much again for what the allocator keeps.
GROWTH_MIB = 64
HASHES_MIB = 2 * 64  # persist hashes two passwords at once
ANSWER_DEADLINE_MS = longer(15_000)
HEARTBEAT_S = int(longer(10))  # more than a slow reader, who says nothing, needs for its test
AUTH_TIMEOUT_S = 10
STALL_S = int(longer(5))  # a slow reader reads now and then even where everything is slow

STRANGERS = 1000
GUESTS = 100
WRONG_PASSWORDS = 10
TOOLS = 5  # at once; where everything is slow two are not within a second of each other
BODY_BEFORE_AUTH = 8192
MESSAGES = 10_000
FLOOD_S = 3.0
FRAMES_BURST, FRAMES_PER_SECOND = 1000, 500
TYPISTS = 20
TYPING_PERIOD_S = 3
PLAIN_FLOODS: list[tuple[int, Any]] = [(PING, {}), (4711, {}), (SEND, b"{")]
HERD_USERS, HERD_DEVICES = 100, 20
RESYNC_EVENT = 0x4010


def users(name: str, count: int) -> list[str]:
    return [f"{name}{number:02}" for number in range(count)]


class HostileClients(TrafficTest):
    dispatchers = 1
    apis = 0
    rate = 300
    least_rate = 1  # the others have the processors as well
    overrides = {
        "persist": {"persist.keep_s": int(longer(600))},
        "edge": {"edge.heartbeat_s": HEARTBEAT_S, "edge.output_stall_s": STALL_S},
    }
    hostiles: ClassVar[Hostiles]
    address: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.hostiles = Hostiles()
        cls.addClassCleanup(cls.hostiles.close)
        cls.address = cls.cluster.edges[0].listen

    def setUp(self) -> None:
        super().setUp()
        self.edge = self.cluster.edges[0]
        self.services = ["edge-1", "edge-2", "dispatcher-1", "persist-1"]
        for name in self.services:
            reset_peak(self.cluster.member(name).pid)
        self.before = {name: peak_mib(self.cluster.member(name).pid) for name in self.services}
        self.counts_before = self.edge.metrics()
        self.addCleanup(self.check_honest)

    def check_honest(self) -> None:
        self.check_account()
        journals = account.read_journals(self.traffic.journals)
        longest = max(journal.longest_ack_ms for journal in journals)
        peaks = {name: peak_mib(self.cluster.member(name).pid) for name in self.services}
        print(f"longest wait for an answer: {longest:.0f} ms")
        print({name: f"{self.before[name]:.0f} to {peak:.0f} MiB" for name, peak in peaks.items()})
        self.assertLess(longest, ANSWER_DEADLINE_MS)
        for name, peak in peaks.items():
            most = GROWTH_MIB + (HASHES_MIB if name.startswith("persist") else 0)
            # Programs that watch themselves keep what they freed.
            self.assertLess(peak - self.before[name], longer(most), name)

    def counted(self, series: str) -> float:
        name = f"martlet_edge_{series}"
        return self.metrics().get(name, 0) - self.counts_before.get(name, 0)

    def metrics(self) -> dict[str, float]:
        """Who is late to ask is closed, and a loop that is behind takes everybody for late."""

        def answer() -> dict[str, float] | None:
            try:
                return self.edge.metrics()
            except OSError:
                return None

        return wait_until(answer, what="the edge's metrics") or {}

    def closed(self, reason: str) -> float:
        return self.counted(f'closes_total{{reason="{reason}"}}')

    def tokens(self, names: list[str], source: str) -> list[str]:
        swarm.add_accounts(self.cluster, names)
        return [
            self.hostiles.run(log_in(self.address, name, "d", swarm.PASSWORD, source))
            for name in names
        ]

    # ---- strangers -----------------------------------------------------------------------------

    def test_a_thousand_strangers_keep_nobody_out(self) -> None:
        guests = users("guest", GUESTS)
        swarm.add_accounts(self.cluster, guests)
        unfinished = make_frame(AUTH, b"x" * (BODY_BEFORE_AUTH - 1), length=BODY_BEFORE_AUTH)
        strangers = Strangers(self.address, STRANGERS, "127.0.0.1", unfinished)
        staying = self.hostiles.start(strangers.stay())
        self.addCleanup(staying.cancel)
        wait_until(
            lambda: self.edge.metrics()["martlet_edge_strangers"] >= STRANGERS,
            what="the strangers to be there",
        )
        for number, guest in enumerate(guests):
            source = "127.0.0.1" if number % 2 else "127.0.0.3"
            token = self.hostiles.run(log_in(self.address, guest, "d", swarm.PASSWORD, source))
            self.assertTrue(token, "the first attempt is enough")
        self.assertGreater(self.closed("made_room"), 0)
        self.assertEqual(self.closed("too_many_strangers"), 0)
        self.assertLessEqual(self.edge.metrics()["martlet_edge_strangers"], STRANGERS + 1)
        print(f"{strangers.connects} connections of strangers, {strangers.told} were told why")

    def test_a_password_is_not_guessed_and_its_owner_not_locked_out(self) -> None:
        swarm.add_accounts(self.cluster, ["owner"])
        wrong = [f"guess number {number}" for number in range(WRONG_PASSWORDS)]
        answers = self.hostiles.run(
            guess(self.address, "owner", [*wrong, swarm.PASSWORD], "127.0.0.9")
        )
        names = [str(answer.body.get("name")) for answer in answers]
        self.assertEqual(names, ["WRONG_PASSWORD"] * len(wrong) + ["RATE_LIMITED"])
        self.assertTrue(answers[-1].body["retryable"])
        self.assertGreater(answers[-1].body["retry_after_ms"], 0)
        login = log_in(self.address, "owner", "d", swarm.PASSWORD, "127.0.0.10")
        self.assertTrue(self.hostiles.run(login), "from elsewhere")

    def test_the_tool_waits_where_its_address_asks_too_often(self) -> None:
        limits = {"edge.address_logins_per_second": 1, "edge.address_logins_burst": 1}
        name = self.cluster.add("edge", limits)
        self.addCleanup(self.cluster.remove, name)
        edge = self.cluster.edges[-1]
        password = new_directory("password") / "password"
        password.write_text("a password\n")

        def register(user: str) -> Finished:
            device = Tool([edge.listen], new_directory(user))
            return device.run("register", user, "--password-file", str(password))

        names = users("tool", TOOLS)
        with ThreadPoolExecutor(TOOLS) as pool:
            for done in pool.map(register, names):
                self.assertEqual(done.code, 0, done)
        refused = edge.metrics()['martlet_edge_errors_total{code="rate_limited"}']
        self.assertGreater(refused, 0, "nothing had to wait")

    def test_an_address_that_connects_too_often_is_refused_and_named(self) -> None:
        limits = {"edge.address_connects_per_second": 1, "edge.address_connects_burst": 2}
        name = self.cluster.add("edge", limits)
        self.addCleanup(self.cluster.remove, name)
        edge = self.cluster.edges[-1]
        count = self.hostiles.run(garbage(edge.listen, b"no frame" * 2, FLOOD_S, "127.0.0.66"))
        refused = edge.metrics()['martlet_edge_closes_total{reason="address_rate"}']
        self.assertGreater(refused, 0)
        self.assertLessEqual(refused, count)
        wait_until(lambda: "last_address=127.0.0.66" in edge.log_tail(1000), what="the log's line")
        swarm.add_accounts(self.cluster, ["neighbour"])
        login = log_in(edge.listen, "neighbour", "d", swarm.PASSWORD, "127.0.0.67")
        self.assertTrue(self.hostiles.run(login), "another address is not concerned")

    # ---- slow ones -----------------------------------------------------------------------------

    def test_a_byte_a_second_is_not_waited_for(self) -> None:
        frame = make_frame(SEND, b"x" * 60)
        tokens = self.tokens(["drip", "mute"], "127.0.0.4")
        known = [
            self.hostiles.start(drip(self.address, data, token))
            for data, token in zip((frame, b""), tokens, strict=True)
        ]
        strange = [self.hostiles.start(drip(self.address, frame)) for _ in range(20)]
        for each in known:
            self.assertGreaterEqual(each.result(longer(120)), HEARTBEAT_S - 1)
        for each in strange:
            self.assertGreaterEqual(each.result(longer(120)), AUTH_TIMEOUT_S - 1)
        self.assertEqual(self.closed("heartbeat"), len(known))
        self.assertEqual(self.closed("auth_timeout"), len(strange))

    def test_who_never_reads_in_a_busy_group_misses_what_the_others_get(self) -> None:
        writers = users("writer", 10)
        swarm.add_accounts(self.cluster, writers)
        tokens = self.tokens(["deaf", "slow"], "127.0.0.5")
        group = swarm.Swarm(
            new_directory("group"),
            members=swarm.members(writers, [edge.listen for edge in self.cluster.edges]),
            groups=[{"group": "busy", "members": writers}],
            register=False,
            rate=2500,
            total=MESSAGES,
            text_bytes=[800, 1000],
            seed=self.seed,
        )
        self.addCleanup(group.close)
        group.wait("ready")
        group.say("group writer00 d1 invite busy deaf slow")
        wait_until(lambda: group.tick()["changes"] == 2, what="the two to be members")
        deaf, slow = (deaf_socket(self.address, token) for token in tokens)
        self.addCleanup(deaf.close)
        self.addCleanup(slow.close)
        group.ask("start", "sending")
        self.read_slowly(slow, lambda: group.tick()["sent"] >= MESSAGES)
        self.assertIn(RESYNC_EVENT, self.commands_until(slow, RESYNC_EVENT))
        slow.close()  # or it is deaf from now on, too
        print(group.drain())
        self.assertEqual(swarm.problems_of(group, self.cluster), [])
        self.assertGreater(self.counted('dropped_total{reason="lossy_session"}'), 0)
        wait_until(lambda: self.closed("slow_consumer") >= 1, what="the deaf one to be closed")

    @staticmethod
    def read_slowly(slow: socket.socket, is_over: Callable[[], bool]) -> None:
        """Less than comes, but something all the time."""

        def over() -> bool:
            slow.recv(4096)
            return is_over()

        wait_until(over, 120, "all to be sent")

    @staticmethod
    def commands_until(link: socket.socket, wanted: int) -> set[int]:
        """Reads all that is there and still comes, up to a frame of this command. Frames begin where
        the magic says, since some bytes were taken before."""
        data = b""
        seen: set[int] = set()
        while wanted not in seen:
            more = link.recv(1 << 20)
            if not more:
                break
            data = data[1 - HEADER.size :] + more
            for found in re.finditer(b"MT\x01\x01", data[: 1 - HEADER.size]):
                seen.add(HEADER.unpack_from(data, found.start())[3])
        return seen

    # ---- floods --------------------------------------------------------------------------------

    def test_floods_of_frames_are_read_at_their_rate(self) -> None:
        names = users("flood", 12)
        tokens = self.tokens(names, "127.0.0.6")
        makers = [*map(sends, names[:3]), *(same(*what) for what in PLAIN_FLOODS for _ in range(3))]
        begin = time.monotonic()
        running = [
            self.hostiles.start(Flood(self.address, token, maker).run(FLOOD_S))
            for token, maker in zip(tokens, makers, strict=True)
        ]
        floods = [each.result(longer(120)) for each in running]
        most = FRAMES_BURST + FRAMES_PER_SECOND * (time.monotonic() - begin)
        for flood in floods:
            print(dict(flood.answers), dict(flood.errors))
            self.assertLessEqual(flood.answers.total(), most)
        errors = [set[str]().union(*(f.errors for f in floods[n : n + 3])) for n in range(0, 12, 3)]
        self.assertEqual(errors, [set(), set(), {"UNKNOWN_COMMAND"}, {"BAD_BODY"}])
        self.assertGreater(self.counted('throttle_seconds_count{by="connection"}'), 0)

    def test_ten_thousand_typing_a_second_go_nowhere(self) -> None:
        names = users("typist", TYPISTS)
        tokens = self.tokens(names, "127.0.0.7")
        begin = time.monotonic()
        running = [
            self.hostiles.start(Flood(self.address, token, typing(name)).run(FLOOD_S))
            for name, token in zip(names, tokens, strict=True)
        ]
        taken = sum(each.result(longer(120)).answers.total() for each in running)
        periods = 1 + (time.monotonic() - begin) // TYPING_PERIOD_S
        passed_on = self.counted('frames_total{command="typing"}') - self.counted(
            "typing_dropped_total"
        )
        print(f"{taken} TYPING answered, {passed_on:.0f} passed on")
        self.assertLessEqual(passed_on, TYPISTS * periods)

    def test_garbage_ends_its_connections_alone(self) -> None:
        running = [
            self.hostiles.start(garbage(self.address, data, FLOOD_S, "127.0.0.8"))
            for data in (b"GET / HTTP/1.1\r\n\r\n", make_frame(SEND, length=60_000), b"\xff" * 4000)
        ]
        counts = [each.result(longer(120)) for each in running]
        print(counts)
        self.assertGreater(min(counts), 0)
        wait_until(
            lambda: self.closed("bad_frame") + self.closed("address_rate") >= sum(counts),
            what="each to be closed for what it sent",
        )

    # ---- storms --------------------------------------------------------------------------------

    def test_two_thousand_come_back_at_once(self) -> None:
        names = users("herd", HERD_USERS)
        swarm.add_accounts(self.cluster, names)
        devices = [f"d{number}" for number in range(HERD_DEVICES)]
        sources = [f"127.0.0.{number}" for number in range(20, 28)]
        herd = Herd(self.address)
        self.addCleanup(lambda: self.hostiles.run(herd.leave()))
        everybody = list(itertools.product(names, devices))
        self.hostiles.run(herd.log_in(everybody, swarm.PASSWORD, sources, width=50), longer(120))
        self.hostiles.run(herd.storm("127.0.0.30"), longer(120))
        self.assertEqual(self.hostiles.run(herd.alive()), len(everybody))
        print(f"{herd.refused} were refused at first")
        self.assertGreaterEqual(self.edge.metrics()["martlet_edge_sessions"], len(everybody))


if __name__ == "__main__":
    unittest.main()
