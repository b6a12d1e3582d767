"""A proxy before the edge says for whom it connects: it is believed where it may be, and the limits
of addresses are those of clients."""

from __future__ import annotations

import socket
import ssl
import struct
import unittest
from typing import ClassVar

from support import ClusterTest, new_directory, wait_until
from wire_client import ERROR, PING, PONG, WireClient, make_frame

from martlet_cluster import keys

PROXY = "127.0.0.1"
NO_PROXY = "127.0.0.9"
LIMIT = 3
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(client: str, command: int = 0x21) -> bytes:
    if ":" in client:
        family, addresses = 0x21, socket.inet_pton(socket.AF_INET6, client) + bytes(16)
    else:
        family, addresses = 0x11, socket.inet_pton(socket.AF_INET, client) + bytes(4)
    addresses += struct.pack(">HH", 4660, 7400)
    return SIGNATURE + struct.pack(">BBH", command, family, len(addresses)) + addresses


class ProxyProtocolTest(ClusterTest):
    edges = 1
    dispatchers = 1
    apis = 0
    overrides: ClassVar = {
        "edge": {
            "edge.proxy_from": [f"{PROXY}/32", "fd00::/8"],
            "edge.max_connections_per_address": LIMIT,
        }
    }

    def connect(self, preface: bytes) -> WireClient:
        client = WireClient(self.cluster.edges[0].listen, preface=preface)
        self.addCleanup(client.close)
        return client

    def closes(self, reason: str) -> float:
        return self.cluster.edges[0].metrics()[f'martlet_edge_closes_total{{reason="{reason}"}}']

    def refusal(self, client: WireClient) -> str:
        frame = client.read()
        assert frame is not None and frame.command == ERROR
        self.assertTrue(client.is_closed_by_peer())
        return "refused"


class InTheClear(ProxyProtocolTest):
    def test_limits_of_addresses_are_those_of_clients(self) -> None:
        for address in ("192.0.2.1", "2001:db8::1"):
            with self.subTest(address=address):
                clients = [self.connect(header(address)) for _ in range(LIMIT)]
                for client in clients:
                    client.login(f"u{address[-1]}", "password1", "d1", register=True)
                before = self.closes("address_full")
                one_more = self.connect(header(address))
                self.refusal(one_more)
                self.assertEqual(self.closes("address_full"), before + 1)
                log = self.cluster.edges[0].log_tail
                wait_until(lambda: f"last_address={address} " in log(1000), what="its address")
                self.assertTrue(self.connect(header("192.0.2.77")).is_alive())

    def test_the_proxys_own_connection_is_the_proxys(self) -> None:
        for preface in (header("192.0.2.1", command=0x20), SIGNATURE + b"\x20\0\0\0"):
            self.assertTrue(self.connect(preface).is_alive())

    def test_a_header_in_pieces_is_waited_for(self) -> None:
        client = self.connect(header("192.0.2.5")[:7])
        client.write(header("192.0.2.5")[7:20])
        client.write(header("192.0.2.5")[20:] + make_frame(PING))
        frame = client.read()
        assert frame is not None
        self.assertEqual(frame.command, PONG)

    def test_a_proxy_without_a_header_is_not_let_in(self) -> None:
        before = self.closes("proxy_header")
        client = self.connect(make_frame(PING))
        self.assertTrue(client.is_closed_by_peer())
        self.connect(SIGNATURE).socket.shutdown(socket.SHUT_WR)
        wait_until(lambda: self.closes("proxy_header") == before + 2, what="the count of them")

    def test_whoever_says_nothing_is_not_waited_for(self) -> None:
        before = self.closes("proxy_header")
        client = self.connect(SIGNATURE)
        self.assertTrue(client.is_closed_by_peer())
        self.assertEqual(self.closes("proxy_header"), before + 1)

    def test_others_are_not_believed(self) -> None:
        host, port = self.cluster.edges[0].listen.rsplit(":", 1)
        client = self.connect(header("192.0.2.9"))
        client.close()
        before = self.closes("bad_frame")
        client.socket = socket.create_connection(
            (host, int(port)), timeout=20, source_address=(NO_PROXY, 0)
        )
        client.write(header("192.0.2.9"))
        self.refusal(client)
        self.assertEqual(self.closes("bad_frame"), before + 1)
        client.socket.close()
        client.socket = socket.create_connection(
            (host, int(port)), timeout=20, source_address=(NO_PROXY, 0)
        )
        self.assertTrue(client.is_alive())


class BeforeTls(ProxyProtocolTest):
    certificate: ClassVar[keys.Certificate]

    @classmethod
    def setUpClass(cls) -> None:
        cls.certificate = keys.make_certificate(new_directory("BeforeTls-keys"))
        common = ProxyProtocolTest.overrides["edge"]
        cls.overrides = {"edge": common | cls.certificate.settings()}
        super().setUpClass()

    def test_the_header_comes_first(self) -> None:
        trusted = ssl.create_default_context(cafile=str(self.certificate.file))
        listen = self.cluster.edges[0].listen
        client = WireClient(listen, tls=trusted, preface=header("192.0.2.1"))
        self.assertTrue(client.is_alive())
        client.close()


if __name__ == "__main__":
    unittest.main()
