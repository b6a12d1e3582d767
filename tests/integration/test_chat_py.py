"""examples/chat.py on a real cluster: what docs/protocol.md says is enough to write a client."""

from __future__ import annotations

import subprocess
import sys
import unittest

from groups import GroupDevice
from support import ROOT, ClusterTest, longer

from martlet_cluster.tool import RunningTool

PASSWORD = "correct horse"
FIRST_SYNC_MESSAGES = 20


class ChatPy(ClusterTest):
    dispatchers = 1

    def command(self, edge: int, user: str, *words: str) -> list[str]:
        server = self.cluster.edges[edge].listen
        script = str(ROOT / "examples/chat.py")
        login = ["--server", server, "--user", user, "--password", PASSWORD]
        return [sys.executable, script, *login, *words]

    def say(self, edge: int, user: str, *words: str, text: str = "") -> list[str]:
        """Runs until the input is sent; the lines printed."""
        done = subprocess.run(
            self.command(edge, user, *words),
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=longer(60),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def register(self, *users: str) -> None:
        for user in users:
            self.say(0, user, "--register", "--to", user)

    def listen(self, edge: int, user: str, *words: str) -> RunningTool:
        running = RunningTool(self.command(edge, user, *words))
        self.addCleanup(running.kill)
        return running

    def test_live_across_edges_both_ways(self) -> None:
        self.register("alice", "bob")
        bob = self.listen(1, "bob", "--to", "alice")
        alice = self.listen(0, "alice", "--to", "bob")
        alice.write("hello bob, 你好\t\"quoted\"")
        bob.wait_for(r"^\[u:alice:bob 1\] alice: hello bob, 你好\t\"quoted\"$")
        bob.write("hello alice")
        for chat in (alice, bob):
            chat.wait_for(r"^\[u:alice:bob 2\] bob: hello alice$")
        self.assertEqual(alice.lines, bob.lines)

    def test_who_was_away_gets_the_newest_in_order(self) -> None:
        self.register("carl", "dora")
        texts = [f"line {number}" for number in range(1, 31)]
        sent = self.say(0, "carl", "--to", "dora", text="\n".join(texts))
        self.assertEqual(sent, [f"[u:carl:dora {n}] carl: line {n}" for n in range(1, 31)])
        dora = self.listen(1, "dora")
        dora.wait_for(r"line 30$")
        self.assertEqual(dora.lines, sent[-FIRST_SYNC_MESSAGES:])

    def test_groups_are_written_to_and_shown(self) -> None:
        self.register("gina", "hugo")
        gina = GroupDevice(self.cluster.edges[0].listen, "gina", "d1")
        self.addCleanup(gina.close)
        gina.create("flock", "hugo")
        hugo = self.listen(1, "hugo", "--to", "g:flock")
        hugo.wait_for(r"^\[g:flock 1\] gina: .*Created")
        hugo.write("hello all")
        hugo.wait_for(r"^\[g:flock 2\] hugo: hello all$")
        gina.wait_message("g:flock", 2)
        gina.say("flock", "and to you")
        hugo.wait_for(r"^\[g:flock 3\] gina: and to you$")

    def test_unknown_user_is_told(self) -> None:
        self.register("emil")
        command = self.command(0, "emil", "--to", "nobody-here")
        done = subprocess.run(
            command, input="x\n", capture_output=True, text=True, check=False, timeout=longer(60)
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("NO_SUCH_USER", done.stderr)


if __name__ == "__main__":
    unittest.main()
