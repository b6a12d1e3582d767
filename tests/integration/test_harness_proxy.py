"""The faulty link: each fault does what it says, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
import unittest

from support import wait_until

from martlet_cluster.proxy import Proxy


class Echo:
    """A server that sends back what it gets."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    @staticmethod
    def _echo(peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                pass

    def close(self) -> None:
        self._listener.close()


class ProxyTest(unittest.TestCase):
    def setUp(self) -> None:
        echo = Echo()
        self.addCleanup(echo.close)
        self.proxy = Proxy(echo.address)
        self.addCleanup(self.proxy.close)

    def connect(self) -> socket.socket:
        host, port = self.proxy.address.split(":")
        client = socket.create_connection((host, int(port)), 5)
        self.addCleanup(client.close)
        return client

    def exchange(self, client: socket.socket, data: bytes) -> bytes:
        client.sendall(data)
        answer = b""
        while len(answer) < len(data):
            piece = client.recv(65536)
            if not piece:
                raise ConnectionError("closed")
            answer += piece
        return answer

    def test_passes_bytes_unchanged(self) -> None:
        data = bytes(range(256)) * 2000
        client = self.connect()
        answers: list[bytes] = []
        reader = threading.Thread(target=lambda: answers.append(self.read(client, len(data))))
        reader.start()
        client.sendall(data)
        reader.join(10)
        self.assertEqual(answers, [data])

    def read(self, client: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += client.recv(65536)
        return data

    def test_cut_ends_connections_and_refuses_until_healed(self) -> None:
        client = self.connect()
        self.exchange(client, b"before")
        self.proxy.cut()
        with self.assertRaises(OSError):
            self.exchange(client, b"after")
        with self.assertRaises(OSError):
            self.exchange(self.connect(), b"new")
        self.proxy.heal()
        self.assertEqual(self.exchange(self.connect(), b"healed"), b"healed")

    def test_hold_keeps_bytes_back_and_passes_them_when_healed(self) -> None:
        client = self.connect()
        self.exchange(client, b"before")
        self.proxy.hold()
        client.sendall(b"held")
        client.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            client.recv(10)
        self.proxy.heal()
        client.settimeout(5)
        self.assertEqual(self.read(client, 4), b"held")

    def test_predicate_holds_the_bytes_and_all_behind_them_until_released(self) -> None:
        client = self.connect()
        self.proxy.hold_when = lambda direction, data: direction == "up" and b"held" in data
        self.assertEqual(self.exchange(client, b"before"), b"before")
        self.assertFalse(self.proxy.is_holding)
        client.sendall(b"held")
        wait_until(lambda: self.proxy.is_holding, what="the hold")
        self.assertEqual(self.proxy.passed["up"], len(b"before"))
        client.sendall(b", and more")
        self.proxy.release()
        client.settimeout(5)
        self.assertEqual(self.read(client, 14), b"held, and more")
        self.assertEqual(self.exchange(client, b"held"), b"held")

    def test_slow_link_takes_its_time(self) -> None:
        client = self.connect()
        self.proxy.slow(20000)
        begin = time.monotonic()
        self.exchange(client, b"x" * 8000)
        self.assertGreater(time.monotonic() - begin, 0.35)

    def test_predicate_drops_the_connection_before_the_bytes_pass(self) -> None:
        client = self.connect()
        self.proxy.drop_when = lambda direction, data: direction == "up" and b"last" in data
        self.assertEqual(self.exchange(client, b"first"), b"first")
        with self.assertRaises(OSError):
            self.exchange(client, b"the last one")
        wait_until(lambda: self.proxy.connections == 0, what="the link to be gone")
        self.assertEqual(self.proxy.passed["up"], len(b"first"))
        self.assertEqual(self.proxy.dropped, 1)

    def test_bytes_are_changed_until_healed(self) -> None:
        client = self.connect()

        def without_dots(direction: str, data: bytes) -> bytes:
            return data.replace(b".", b"") if direction == "down" else data

        self.proxy.change = without_dots
        client.sendall(b".a.b.")
        self.assertEqual(self.read(client, 2), b"ab")
        self.proxy.heal()
        self.assertEqual(self.exchange(client, b"a.b"), b"a.b")
