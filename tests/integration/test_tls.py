"""Clients speak TLS with the edges: the command line client, examples/chat.py, and clients that they
should not have."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from support import ROOT, ClusterTest, longer, new_directory, wait_until
from wire_client import PING, PONG, WireClient, make_frame

from martlet_cluster import keys
from martlet_cluster.service import Edge
from martlet_cluster.tool import Finished, RunningTool, Tool

TIMEOUT_S = 300
PASSWORD = "correct horse"
AUTH_TIMEOUT_S = 5
HALF_OPEN = 1000
PLAIN = 50


def trusting(certificate: Path, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class TlsTest(ClusterTest):
    """Two edges with one certificate and the same ticket keys."""

    dispatchers = 1
    apis = 0
    certificate: ClassVar[keys.Certificate]
    ticket_keys: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        directory = new_directory(f"{cls.__name__}-keys")
        cls.certificate = keys.make_certificate(directory)
        cls.ticket_keys = directory / "tickets"
        cls.ticket_keys.write_text(keys.ticket_key())
        settings = {
            **cls.certificate.settings(),
            "edge.tls_ticket_keys": str(cls.ticket_keys),
            "edge.auth_timeout_s": AUTH_TIMEOUT_S,
        }
        cls.overrides = {"edge": settings}
        super().setUpClass()

    def edge(self, index: int) -> Edge:
        return self.cluster.edges[index]

    def client(self, index: int = 0, **options: ssl.SSLSession) -> WireClient:
        return WireClient(
            self.edge(index).listen, tls=trusting(self.certificate.file), **options
        )

    def metric(self, index: int, name: str) -> float:
        return self.edge(index).metrics()[name]

    def errors_in_log(self, index: int) -> list[str]:
        return [line for line in self.edge(index).log_tail(10_000).splitlines() if "error" in line]


class Clients(TlsTest):
    def tool(self, index: int, user: str, options: Sequence[str] = ()) -> Tool:
        home = self.cluster.directory / "homes" / user
        trust = ["--tls-ca", str(self.certificate.file)]
        return Tool([self.edge(index).listen], home, options or trust)

    def run_remembered(self, user: str, *words: str) -> Finished:
        """A command that names neither server nor TLS."""
        tool = self.tool(0, user)
        command = [tool.command()[0], "--home", str(tool.home), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=longer(60), check=False
        )
        return Finished(done.returncode, done.stdout.splitlines(), done.stderr)

    def register(self, index: int, user: str) -> Tool:
        tool = self.tool(index, user)
        done = tool.run("register", user, "--password-file", "-", text=PASSWORD)
        self.assertEqual(done.code, 0, done.errors)
        return tool

    def test_people_chat(self) -> None:
        ann, ben = self.register(0, "ann"), self.register(1, "ben")
        listening = ben.start("listen", "--count", "2")
        self.addCleanup(listening.kill)
        self.assertEqual(ann.run("send", "ben", "by TLS").code, 0)
        self.assertEqual(self.run_remembered("ann", "send", "ben", "again").code, 0)
        listening.wait_for("by TLS")
        listening.wait_for("again")

    def test_raw_frames(self) -> None:
        done = self.tool(0, "nobody").run("raw", text='{"command": "Ping"}\n')
        self.assertEqual(done.code, 0, done.errors)
        self.assertIn("Pong", done.lines[0])

    def test_chat_py(self) -> None:
        self.register(0, "cat")
        script = str(ROOT / "examples/chat.py")
        trust = ["--tls", "--tls-ca", str(self.certificate.file)]
        login = ["--server", self.edge(1).listen, "--user", "dan", "--password", PASSWORD]
        talk = ["--register", "--to", "cat"]
        dan = RunningTool([sys.executable, script, *trust, *login, *talk])
        self.addCleanup(dan.kill)
        dan.write("hello from python")
        cat = self.tool(0, "cat")
        self.assertIn("hello from python", "".join(cat.run("listen", "--count", "1").lines))
        self.assertEqual(cat.run("send", "dan", "hello back").code, 0)
        dan.wait_for("hello back")

    def refusal(self, *options: str) -> str:
        short = ["--timeout", "2"]
        done = self.tool(0, "eve", [*options, *short]).run("raw", text='{"command": "Ping"}\n')
        self.assertEqual(done.code, 3, done.errors)
        return done.errors

    def test_a_server_that_is_not_to_be_trusted_is_refused(self) -> None:
        other = keys.make_certificate(self.cluster.directory / "other")
        self.assertIn("certificate verify failed", self.refusal("--tls-ca", str(other.file)))
        self.assertIn("certificate verify failed", self.refusal("--tls"))
        named = ["--tls-ca", str(self.certificate.file), "--tls-name", "chat.example"]
        self.assertIn("ostname mismatch", self.refusal(*named))

    def test_a_file_of_trust_that_is_not_there_is_named(self) -> None:
        done = self.tool(0, "eve", ["--tls-ca", "/none.pem"]).run("raw")
        self.assertIn("--tls-ca '/none.pem'", done.errors)
        self.assertNotEqual(done.code, 0)


class Hostile(TlsTest):
    def s_client(self, *options: str) -> subprocess.CompletedProcess[str]:
        where = ["-connect", self.edge(0).listen, "-cipher", "DEFAULT@SECLEVEL=0"]
        return subprocess.run(
            ["openssl", "s_client", *where, *options],
            input="",
            capture_output=True,
            text=True,
            timeout=longer(30),
            check=False,
        )

    def failed_handshakes(self) -> float:
        return self.metric(0, 'martlet_edge_closes_total{reason="tls_handshake"}')

    def test_older_versions_are_refused(self) -> None:
        before = self.failed_handshakes()
        for version in ("-tls1", "-tls1_1"):
            done = self.s_client(version)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn("alert protocol version", done.stderr)
        for version in ("-tls1_2", "-tls1_3"):
            done = self.s_client(version)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.failed_handshakes(), before + 2)

    def test_renegotiation_is_refused(self) -> None:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", self.edge(0).listen, "-tls1_2"],
            input="R\n",
            capture_output=True,
            text=True,
            timeout=longer(30),
            check=False,
        )
        self.assertIn("RENEGOTIATING", done.stdout + done.stderr)
        self.assertIn("no renegotiation", done.stderr)

    def test_plain_text_is_closed_and_does_not_flood_the_log(self) -> None:
        before = self.failed_handshakes()
        for _ in range(PLAIN):
            client = WireClient(self.edge(0).listen)
            client.write(make_frame(PING))
            self.assertTrue(client.is_closed_by_peer())
            client.close()
        wait_until(lambda: self.failed_handshakes() >= before + PLAIN, what="the count of them")
        wait_until(lambda: "tls_handshakes_failed" in self.edge(0).log_tail(1000), what="a line")
        lines = self.edge(0).log_tail(10_000).splitlines()
        told = [line for line in lines if "tls_handshakes_failed" in line and "not a hand" in line]
        self.assertLess(len(told), PLAIN / 2, "a line a second at most")
        self.assertEqual(self.errors_in_log(0), [])

    def test_half_open_handshakes_cost_only_themselves(self) -> None:
        """As many as one address may have strangers; half of them have sent a part of their hello."""
        ann = self.client(0)
        ann.login("ann", PASSWORD, "d1", register=True)
        outgoing = ssl.MemoryBIO()
        hello = trusting(self.certificate.file).wrap_bio(
            ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1"
        )
        with self.assertRaises(ssl.SSLWantReadError):
            hello.do_handshake()
        part = outgoing.read()[:100]
        host, port = self.edge(0).listen.rsplit(":", 1)
        before = self.failed_handshakes()
        half_open = []
        for i in range(HALF_OPEN):
            half_open.append(socket.create_connection((host, int(port)), timeout=longer(20)))
            if i % 2 == 0:
                half_open[-1].sendall(part)
        self.assertTrue(ann.is_alive())
        ben = self.client(0)
        ben.login("ben", PASSWORD, "d1", register=True)
        self.assertTrue(ben.is_alive())

        def ended() -> bool:
            made_room = self.metric(0, 'martlet_edge_closes_total{reason="made_room"}')
            self.assertTrue(ann.is_alive())
            return self.failed_handshakes() + made_room >= before + HALF_OPEN

        wait_until(ended, what="the end of all handshakes")
        for one in half_open:
            one.close()
        self.assertTrue(ben.is_alive())
        self.assertEqual(self.errors_in_log(0), [])


class Sessions(TlsTest):
    def resumed(self, index: int, name: str = "resumed") -> float:
        return self.metric(index, f'martlet_edge_tls_handshakes_total{{kind="{name}"}}')

    def test_a_session_is_resumed_on_the_other_edge(self) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version.name):
                context = trusting(self.certificate.file, version)
                before = self.resumed(1)
                first = WireClient(self.edge(0).listen, tls=context)
                self.assertTrue(first.is_alive())  # the ticket came with the answer, or before
                assert isinstance(first.socket, ssl.SSLSocket)
                session = first.socket.session
                first.close()
                again = WireClient(self.edge(1).listen, tls=context, session=session)
                assert isinstance(again.socket, ssl.SSLSocket)
                self.assertTrue(again.is_alive())
                self.assertTrue(again.socket.session_reused)
                self.assertEqual(self.resumed(1), before + 1)
                again.close()


class Reload(TlsTest):
    edges = 1

    def hang_up(self) -> None:
        os.kill(self.edge(0).pid, signal.SIGHUP)

    def reloads(self, result: str) -> float:
        return self.metric(0, f'martlet_edge_tls_reloads_total{{result="{result}"}}')

    def expires_s(self) -> float:
        return self.metric(0, "martlet_edge_tls_certificate_expires_timestamp_seconds")

    def test_files_are_read_anew_without_a_lost_connection(self) -> None:
        pid = self.edge(0).pid
        old = self.client()
        old.login("ann", PASSWORD, "d1", register=True)
        old_trust = trusting(self.certificate.file)
        before = self.expires_s()

        keys.make_certificate(self.certificate.file.parent, days=60)
        self.hang_up()
        wait_until(lambda: self.reloads("done") == 1, what="a reload")
        self.assertAlmostEqual(self.expires_s() - before, 30 * 86_400, delta=3600)
        with self.assertRaises(ssl.SSLCertVerificationError):
            WireClient(self.edge(0).listen, tls=old_trust)
        new = self.client()
        self.assertTrue(new.is_alive())

        good = self.certificate.file.read_text()
        self.certificate.file.write_text(good[: len(good) // 2])
        self.hang_up()
        wait_until(lambda: self.reloads("failed") == 1, what="a reload that fails")
        wait_until(lambda: "tls_not_reloaded" in self.edge(0).log_tail(1000), what="its line")
        (line,) = self.errors_in_log(0)
        self.assertIn(f"edge.tls_cert '{self.certificate.file}'", line)
        self.certificate.file.write_text(good)
        newest = self.client()
        for client in (old, new, newest):
            self.assertTrue(client.is_alive())
        self.assertEqual(self.edge(0).pid, pid)
        self.assertEqual(new.call(PING).command, PONG)


if __name__ == "__main__":
    unittest.main()
