"""The command line client, command by command, on a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import unittest

from support import ClusterTest, longer, new_directory, wait_until

from martlet_cluster import keys, paths

PASSWORD = "correct horse"


class MartletTest(ClusterTest):
    dispatchers = 1

    def setUp(self) -> None:
        self.homes = new_directory("homes")

    def command(self, user: str, *words: str, server: str = "") -> list[str]:
        """Users live on different edges by the length of their names."""
        edge = server or self.cluster.edges[len(user) % 2].listen
        home = str(self.homes / user)
        return [str(paths.built("src/tools/martlet")), "--server", edge, "--home", home, *words]

    def martlet(
        self,
        user: str,
        *words: str,
        stdin: str = "",
        password: str = PASSWORD,
        server: str = "",
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(user, *words, server=server),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=longer(60),
            env={**os.environ, "MARTLET_PASSWORD": password},
        )

    def lines(self, user: str, *words: str, stdin: str = "") -> list[str]:
        done = self.martlet(user, *words, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def register(self, *users: str) -> None:
        for user in users:
            lines = self.lines(user, "register", user)
            self.assertEqual(lines[0], f"registered {user}")
            self.assertRegex(lines[1], f"^logged in as {user}/cli at edge-")

    def test_message_to_somebody_away_is_there_at_the_next_listen(self) -> None:
        self.register("ann", "bert")
        sent = self.lines("ann", "send", "bert", "hello", "bert")
        self.assertEqual(sent, ["ann -> u:ann:bert seq=1 hello bert"])
        heard = self.lines("bert", "listen", "--count", "1")
        self.assertIn("u:ann:bert seq=1 ann: hello bert", heard)
        again = self.lines("bert", "listen", "--until-idle", "0.5")
        self.assertNotIn("u:ann:bert seq=1 ann: hello bert", again)

    def test_a_new_account_does_not_remember_another_server(self) -> None:
        self.register("ilse", "jonas")
        for text in ("one", "two", "three"):
            self.lines("ilse", "send", "jonas", text)
        self.lines("jonas", "listen", "--count", "3")
        other = self.start_cluster(edges=1, dispatchers=1).edges[0].listen
        for user in ("ilse", "jonas"):
            self.assertEqual(self.martlet(user, "register", user, server=other).returncode, 0)
        self.martlet("ilse", "send", "jonas", "here", server=other)
        heard = self.martlet("jonas", "listen", "--count", "1", server=other)
        self.assertIn("u:ilse:jonas seq=1 ilse: here", heard.stdout.splitlines())

    def test_live_message_crosses_the_edges(self) -> None:
        self.register("cat", "dora")
        out = self.homes / "dora.out"
        with out.open("w") as file:
            listener = subprocess.Popen(self.command("dora", "listen", "--count", "1"), stdout=file)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.terminate)
        wait_until(lambda: "online dora/cli" in out.read_text(), what="dora listens")
        self.lines("cat", "send", "dora", "live")
        self.assertEqual(listener.wait(30), 0)
        self.assertIn("u:cat:dora seq=1 cat: live", out.read_text())

    def test_devices_are_listed_and_signed_out(self) -> None:
        self.register("tess")
        [line] = self.lines("tess", "devices")
        self.assertRegex(line, r"^device cli last_login_ms=\d+ \(this one\)$")
        self.assertEqual(self.lines("tess", "sign-out", "--others"), ["signed out devices=0"])
        self.assertEqual(self.lines("tess", "sign-out"), ["signed out devices=1"])
        self.assertEqual(self.martlet("tess", "sync").returncode, 4, "its tokens are dead")
        self.assertEqual(self.martlet("tess", "sign-out", "").returncode, 2)
        self.assertRegex(self.lines("tess", "login", "tess")[0], "^logged in as tess/cli at edge-")
        self.lines("tess", "sync")

    def test_a_login_that_fails_changes_nothing_in_the_home(self) -> None:
        self.register("ulf", "vera")
        self.lines("vera", "send", "ulf", "hello")
        self.lines("ulf", "sync")
        for user, device in (("ulf", "cli"), ("vera", "cli"), ("ulf", "laptop")):
            done = self.martlet("ulf", "login", user, "--device", device, password="wrong horse")
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("WRONG_PASSWORD", done.stderr)
        lines = self.lines("ulf", "sync")
        self.assertIn("messages=0", lines[-1], "signed in as before, and it knows what it has seen")

    def test_stored_is_told(self) -> None:
        self.register("eve", "fred")
        lines = self.lines("eve", "send", "--wait-stored", "fred", "keep")
        self.assertEqual(lines[1], "stored u:eve:fred seq=1")

    def test_texts_come_back_exactly(self) -> None:
        self.register("gil", "hank")
        texts = ["tab\tand\\", "two\nlines", "鸟不落地", "\x1b[31m", "x" * 30_000]
        sent = "".join(json.dumps({"to": "hank", "text": text}) + "\n" for text in texts)
        self.lines("gil", "--json", "chat", stdin=sent)
        rows = [json.loads(line) for line in self.lines("hank", "--json", "history", "gil")]
        self.assertEqual([row["content"]["text"] for row in rows], texts)
        plain = self.lines("hank", "history", "gil")
        self.assertEqual(plain[1], "u:gil:hank seq=2 gil: two\\nlines")
        self.assertEqual(plain[3], "u:gil:hank seq=4 gil: \\x1b[31m")

    def test_what_is_written_while_no_server_answers_goes_out_later(self) -> None:
        self.register("olaf", "pia")
        self.cluster.stop_member(edge := f"edge-{1 + len('olaf') % 2}")
        chat = subprocess.Popen(
            self.command("olaf", "chat", "pia"),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(chat.kill)
        assert chat.stdin is not None and chat.stderr is not None
        self.assertIn("goes out later", chat.stderr.readline())
        chat.stdin.write("written in the dark\n")
        chat.stdin.close()
        self.cluster.start_member(edge)
        self.assertEqual(chat.wait(60), 0, "it ends when the line is acknowledged")
        chat.stderr.close()
        self.assertIn("u:olaf:pia seq=1 olaf: written in the dark", self.lines("pia", "sync"))

    def test_chat_tells_of_an_outage_and_of_its_end(self) -> None:
        self.register("oleg", "petra")
        edge = f"edge-{1 + len('oleg') % 2}"
        chat = subprocess.Popen(
            self.command("oleg", "chat", "petra"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(chat.kill)
        assert chat.stdin is not None and chat.stdout is not None and chat.stderr is not None
        self.assertIn("online", chat.stdout.readline())
        self.cluster.kill(edge)  # one that stops would send it to the other edge
        self.assertIn("goes out later", chat.stderr.readline())
        chat.stdin.write("meanwhile\n")
        chat.stdin.flush()
        self.cluster.start_member(edge)
        self.assertEqual(chat.stderr.readline(), "martlet: connected\n")
        chat.stdin.close()
        self.assertEqual(chat.wait(60), 0)
        chat.stdout.close()
        chat.stderr.close()
        self.assertIn("u:oleg:petra seq=1 oleg: meanwhile", self.lines("petra", "sync"))

    def test_lines_of_standard_input_keep_their_order(self) -> None:
        self.register("ida", "john")
        numbers = [str(number) for number in range(300)]
        self.lines("ida", "send", "john", "--stdin", stdin="\n".join(numbers))
        rows = self.lines("john", "history", "ida", "--limit", "0")
        self.assertEqual([row.rpartition(" ")[2] for row in rows], numbers)
        self.assertEqual(len(self.lines("john", "history", "ida", "--limit", "7")), 7)
        after = self.lines("john", "history", "ida", "--after", "297")
        self.assertEqual([row.split()[1] for row in after], ["seq=298", "seq=299", "seq=300"])

    def test_sync_and_read(self) -> None:
        self.register("kim", "leon")
        self.lines("kim", "send", "leon", "one")
        self.assertEqual(self.lines("leon", "read", "kim", "1"), ["read u:kim:leon seq=1 by leon"])
        lines = self.lines("leon", "sync")
        self.assertIn("u:kim:leon last=1 read=1 peer_read=0 unread=0", lines)
        self.assertTrue(lines[-1].startswith("synced conversations=1 messages=1"))

    def test_who_names_device_and_edge(self) -> None:
        self.register("mia")
        api = "http://" + self.cluster.member("api-1").address
        token = str(keys.api_token_file(self.cluster.directory, "viewer"))
        listener = subprocess.Popen(self.command("mia", "listen"), stdout=subprocess.DEVNULL)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.terminate)

        def seen() -> list[str]:
            lines = self.lines("mia", "--api", api, "--api-token-file", token, "who", "mia")
            return [line for line in lines if "cli" in line]

        self.assertIn("mia/cli at ", wait_until(seen, what="mia is seen")[0])

    def test_a_group_from_its_beginning_to_its_end(self) -> None:
        self.register("gina", "hugo", "ines")
        created = self.lines("gina", "group", "create", "team", "hugo", "--title", "The Team")
        self.assertEqual(created, ["gina -> g:team seq=1 (created the group The Team with hugo)"])
        self.lines("hugo", "send", "g:team", "hello", "team")
        self.lines("gina", "group", "role", "team", "hugo", "admin")
        self.lines("hugo", "group", "invite", "team", "ines")
        members = self.lines("ines", "group", "info", "team")
        self.assertEqual(
            [line.split()[1:3] for line in members if line.startswith("member")],
            [["gina", "owner"], ["hugo", "admin"], ["ines", "member"]],
        )
        self.assertEqual(self.lines("ines", "group", "list"), ["group team member members=3 The Team"])
        history = self.lines("ines", "history", "g:team")
        self.assertEqual(history, ["g:team seq=4 hugo: (invited ines)"], "not what was before")
        self.lines("ines", "group", "leave", "team")
        self.refused("ines", "send", "g:team", "one more thing", name="NOT_MEMBER")
        self.refused("gina", "group", "leave", "team", name="OWNER_STAYS")
        self.lines("gina", "group", "role", "team", "hugo", "owner")
        self.lines("hugo", "group", "remove", "team", "gina")
        self.lines("hugo", "group", "disband", "team")
        self.refused("hugo", "send", "g:team", "nobody is here", name="NO_SUCH_GROUP")
        self.assertEqual(self.lines("hugo", "group", "list"), [])

    def refused(self, user: str, *words: str, name: str) -> None:
        done = self.martlet(user, *words)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(name, done.stderr)

    def test_chat_works_in_an_open_group(self) -> None:
        self.register("jana", "karl")
        self.lines("jana", "group", "create", "agora", "--open", "--history")
        self.lines("jana", "chat", "g:agora", stdin="first\nsecond\n")
        self.lines("karl", "group", "join", "agora")
        heard = self.lines("karl", "chat", "g:agora", stdin="third\n")
        self.assertFalse([line for line in heard if "first" in line], "that is history")
        history = self.lines("karl", "history", "g:agora")
        self.assertEqual(
            [line.split(": ")[1] for line in history],
            ["(created the group)", "first", "second", "(joined)", "third"],
        )

    def test_raw_prints_the_answer(self) -> None:
        lines = self.lines("raw", "raw", stdin='{"command": "Ping"}\n{"command": "Goodbye"}\n')
        self.assertEqual([json.loads(line)["command"] for line in lines], ["Pong", "GoodbyeOk"])

    def test_exit_codes_tell_what_went_wrong(self) -> None:
        self.register("nina")
        cases = {
            "unknown recipient": (self.martlet("nina", "send", "nobody", "x"), 1, "NO_SUCH_USER"),
            "name taken": (self.martlet("other", "register", "NINA"), 1, "USER_TAKEN"),
            "usage": (self.martlet("nina", "send"), 2, ""),
            "no server": (
                self.martlet("nina", "--timeout", "1", "sync", server="127.0.0.1:1"),
                3,
                "TIMEOUT",
            ),
            "password": (
                self.martlet("other", "login", "nina", password="wrong horse"),
                4,
                "WRONG_PASSWORD",
            ),
            "not logged in": (self.martlet("stranger", "sync"), 4, "NOT_AUTHENTICATED"),
        }
        for what, (done, code, name) in cases.items():
            with self.subTest(what):
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(name, done.stderr)

    def test_home_in_use_is_refused(self) -> None:
        self.register("olga")
        listener = subprocess.Popen(
            self.command("olga", "listen"), stdout=subprocess.PIPE, text=True
        )
        assert listener.stdout is not None
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.terminate)
        self.assertIn("online", listener.stdout.readline())
        done = self.martlet("olga", "sync")
        self.assertEqual(done.returncode, 5)
        self.assertIn("in use", done.stderr)


if __name__ == "__main__":
    unittest.main()
