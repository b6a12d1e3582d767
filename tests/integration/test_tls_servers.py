"""Our services speak TLS with NATS, Redis and PostgreSQL, and with nobody whom they should not trust."""

from __future__ import annotations

import unittest
from pathlib import Path

from support import new_directory, wait_until

from martlet_cluster import Cluster, ClusterError, keys, ports
from martlet_cluster.postgres_user import PostgresUser
from martlet_cluster.tool import Tool

TIMEOUT_S = 300
PASSWORD = "correct horse"
CLIENTS = ("native", "cnats")
PEOPLE = ("ann", "ben")


class Servers(unittest.TestCase):
    """NATS takes nobody without TLS; Redis has a second port for the harness, which speaks none."""

    cluster: Cluster
    certificate: keys.Certificate
    redis_port: int

    def setUp(self) -> None:
        directory = new_directory(self.id())
        self.certificate = keys.make_certificate(directory / "keys")
        PostgresUser(directory).own(directory / "keys")
        PostgresUser(directory).own(directory)
        self.redis_port = ports.free_port()
        cert, key = str(self.certificate.file), str(self.certificate.key)
        overrides = {
            "nats": {"tls": f'{{ cert_file: "{cert}", key_file: "{key}" }}'},
            "redis": {
                "tls-port": self.redis_port,
                "tls-cert-file": cert,
                "tls-key-file": key,
                "tls-ca-cert-file": cert,
                "tls-auth-clients": "no",
            },
            "postgres": {"ssl": "on", "ssl_cert_file": cert, "ssl_key_file": key},
        }
        self.cluster = Cluster(directory / "cluster", edges=2, dispatchers=1, overrides=overrides)
        self.addCleanup(self.cluster.stop, abort=True)
        self.cluster.start_servers()

    def trust(self, *, nats: Path, redis: Path, postgres: Path) -> None:
        """Whom all services trust for each server."""
        for kind in ("edge", "dispatcher", "persist", "api"):
            url = self.cluster.nats.url_for(kind).replace("nats://", "tls://")
            self.cluster.override(kind, "nats.url", url)
            self.cluster.override(kind, "nats.tls_ca", str(nats))
        for kind in ("edge", "api"):
            url = self.cluster.redis.url_for(kind).replace("redis://", "rediss://")
            url = url.replace(f":{self.cluster.redis.port}/", f":{self.redis_port}/")
            self.cluster.override(kind, "redis.url", url)
            self.cluster.override(kind, "redis.tls_ca", str(redis))
        query = f"?sslmode=verify-full&sslrootcert={postgres}"
        for key, role in (("postgres.url", "persist"), ("postgres.owner_url", "owner")):
            self.cluster.override("persist", key, self.cluster.postgres.url_for(role) + query)

    def choose(self, client: str) -> None:
        for kind in ("edge", "dispatcher", "persist", "api"):
            self.cluster.override(kind, "nats.client", client)

    def tool(self, index: int, user: str) -> Tool:
        return Tool([self.cluster.edges[index].listen], self.cluster.directory / "homes" / user)

    def register(self, index: int, user: str) -> Tool:
        tool = self.tool(index, user)
        done = tool.run("register", user, "--password-file", "-", text=PASSWORD)
        self.assertEqual(done.code, 0, done.errors)
        return tool

    def chats(self, ann: Tool, ben: Tool, text: str) -> None:
        listening = ben.start("listen", "--count", "1")
        self.addCleanup(listening.kill)
        done = ann.run("send", ben.home.name, text)
        self.assertEqual(done.code, 0, done.errors)
        listening.wait_for(text)

    def sessions_in_redis(self) -> int:
        with self.cluster.redis.probe() as probe:
            return len(probe.command("KEYS", "im:user:*"))

    def test_everything_by_tls_also_after_a_loss(self) -> None:
        good = self.certificate.file
        self.trust(nats=good, redis=good, postgres=good)
        for client in CLIENTS:
            with self.subTest(client):
                self.choose(client)
                self.cluster.start_services()
                ann, ben = (self.register(i, f"{name}-{client}") for i, name in enumerate(PEOPLE))
                self.chats(ann, ben, "by TLS")
                self.check_connections()
                for name in ("nats", "redis", "postgres"):
                    self.cluster.kill(name)
                    self.cluster.start_member(name)
                self.cluster.wait_healthy(30)
                self.chats(ann, ben, "and again")
                wait_until(lambda: self.sessions_in_redis() == 0, what="nobody is online")
                listening = ben.start("listen")
                self.addCleanup(listening.kill)
                wait_until(lambda: self.sessions_in_redis() == 1, what="ben's session")
                listening.kill()
                self.cluster.stop()
                self.cluster.start_servers()

    def check_connections(self) -> None:
        connections = self.cluster.nats.monitor("connz")["connections"]
        versions = {one["name"]: one.get("tls_version", "none") for one in connections}
        self.assertGreaterEqual(len(versions), 5)
        self.assertLessEqual(set(versions.values()), {"1.2", "1.3"}, versions)
        encrypted = self.cluster.psql(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE usename = 'martlet_persist';"
        )
        self.assertEqual(encrypted, [["t"]])

    def test_who_is_not_trusted_is_not_spoken_to(self) -> None:
        good = self.certificate.file
        bad = keys.make_certificate(new_directory("others") / "keys").file
        self.trust(nats=bad, redis=good, postgres=good)
        self.cluster.override("dispatcher", "nats.wait_s", 0)
        for client, why in (("native", "certificate verify failed"), ("cnats", "SSL")):
            self.choose(client)
            with self.assertRaisesRegex(ClusterError, why):
                self.cluster.start_member("dispatcher-1")
        self.choose("native")
        self.trust(nats=good, redis=bad, postgres=bad)
        self.cluster.override("persist", "postgres.wait_s", 0)
        with self.assertRaisesRegex(ClusterError, "certificate verify failed"):
            self.cluster.start_services()
        edge = self.cluster.edges[0]
        refusal = 'redis_unreachable detail="TLS: certificate verify failed'
        wait_until(lambda: refusal in edge.log_tail(1000), what="no session with Redis")


if __name__ == "__main__":
    unittest.main()
