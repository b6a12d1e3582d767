"""compose/init-secrets.sh, which gives each service of compose its own secrets."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from support import ROOT, new_directory

from martlet_cluster import paths, roles

OUR_UID = 10001
FILES = {
    "edge": {"nats_url", "redis_url", "public/k1.pem"},
    "dispatcher": {"nats_url"},
    "persist": {"nats_url", "postgres_url", "postgres_owner_url", "signing/k1.pem"},
    "api": {"nats_url", "redis_url", "api_tokens"},
    "martlet": {"api_token"},
    "nats": {"nats.conf", "nats-cluster.conf", "nats-roles.conf", "nats-passwords.conf"},
    "redis": {"users.acl"},
    "grafana": {"grafana_password"},
    "postgres": {"roles.sql", "postgres_password", "owner_password", "persist_password"},
}


class Secrets(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = new_directory("secrets")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.secrets, self.out, self.given = (
            self.directory / name for name in ("secrets", "out", "given")
        )
        self.secrets.mkdir()

    def run_script(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(ROOT / "compose/init-secrets.sh")],
            env={
                **os.environ,
                "MARTLET_SECRETS": str(self.secrets),
                "MARTLET_SECRETS_OUT": str(self.out),
                "MARTLET_SECRETS_GIVEN": str(self.given),
                "MARTLET_ROLES": str(roles.DIRECTORY),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def make(self) -> dict[str, str]:
        """Runs it; every file that somebody gets, by its path."""
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        return {
            str(path.relative_to(self.out)): path.read_text()
            for path in self.out.rglob("*")
            if path.is_file()
        }

    def give(self, name: str, text: str) -> None:
        path = self.given / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_each_gets_its_own_and_nobody_else_reads_them(self) -> None:
        files = self.make()
        wanted = {f"{service}/{name}" for service, names in FILES.items() for name in names}
        self.assertEqual(set(files), wanted)
        for path in (self.secrets, *self.secrets.rglob("*"), *self.out.rglob("*")):
            if path.parent != self.directory:
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        if os.geteuid() == 0:
            for service in ("edge", "dispatcher", "persist", "api"):
                self.assertEqual((self.out / service / "nats_url").stat().st_uid, OUR_UID)

    def test_a_password_is_known_to_its_user_and_the_server(self) -> None:
        files = self.make()
        server = ("nats/nats-passwords.conf",)
        for role in ("edge", "dispatcher", "persist", "api"):
            password = files[f"{role}/nats_url"].split(":")[2].split("@")[0]
            having = {name for name, text in files.items() if password in text}
            self.assertEqual(having, {f"{role}/nats_url", *server})

    def test_the_command_line_client_has_a_token_that_the_api_knows(self) -> None:
        files = self.make()
        token = files["martlet/api_token"].strip()
        self.assertRegex(token, r"^ma1_[A-Za-z0-9_-]{43}$")
        digest = hashlib.sha256(token.encode()).hexdigest()
        self.assertEqual(files["api/api_tokens"], f"admin admin {digest}\n")
        self.give("api_tokens", "ann viewer " + "a" * 64 + "\n")
        self.assertEqual(self.make()["api/api_tokens"], "ann viewer " + "a" * 64 + "\n")

    def test_what_exists_is_kept(self) -> None:
        before = self.make()
        self.assertEqual(self.make(), before)
        (self.secrets / "nats_edge_password").unlink()
        after = self.make()
        changed = {name for name in before if before[name] != after[name]}
        self.assertEqual(changed, {"edge/nats_url", "nats/nats-passwords.conf"})

    def test_an_operator_gives_their_own(self) -> None:
        self.make()
        self.give("postgres_persist_password", "the-one-from-our-vault\n")
        self.give("public/k0.pem", "an older public key\n")
        files = self.make()
        self.assertEqual(
            files["persist/postgres_url"],
            "postgresql://martlet_persist:the-one-from-our-vault@postgres:5432/martlet",
        )
        self.assertEqual(files["edge/public/k0.pem"], "an older public key\n")
        self.assertIn("edge/public/k1.pem", files)

    def test_certificates_and_the_keys_of_another_service_go_where_they_are_used(self) -> None:
        before = self.make()
        self.give("tls/tls.key", "a key")
        self.give("identity/jwks.json", "{}")
        self.assertEqual(
            self.make(), {**before, "edge/tls/tls.key": "a key", "persist/identity/jwks.json": "{}"}
        )

    def test_a_password_that_would_mean_something_else_is_refused(self) -> None:
        for bad in ("short-of-sixtee", 'with"quote-and-more', "with@sign-and-more", "x" * 129):
            with self.subTest(bad):
                self.give("redis_api_password", bad)
                done = self.run_script()
                self.assertEqual(done.returncode, 1)
                self.assertIn("redis_api_password", done.stderr)
                self.assertNotIn(bad, done.stderr)
        for good in ("x" * 16, "x" * 128, "A-Z_a.z~0123456789"):
            with self.subTest(good):
                self.give("redis_api_password", good)
                self.assertEqual(self.run_script().returncode, 0)

    def test_servers_take_the_files(self) -> None:
        self.make()
        nats = [str(paths.server_binary("nats-server")), "-t", "-c", "nats.conf"]
        # 2.9 does not know how often to sync.
        conf = self.out / "nats/nats.conf"
        text = conf.read_text()
        self.assertIn("sync_interval: always", text)
        conf.chmod(0o600)
        conf.write_text(text.replace("sync_interval: always", ""))
        done = subprocess.run(nats, cwd=conf.parent, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        users = (self.out / "redis/users.acl").read_text()
        lines = [line.split()[:2] for line in users.splitlines()]
        self.assertEqual(
            lines, [["user", n] for n in ("default", "edge", "api", "operator")], users
        )
        self.assertNotIn("@", users.replace("+@all", "").replace("-@all", ""))

    def test_compose_gives_each_service_its_own_volume(self) -> None:
        text = Path(ROOT / "compose/compose.yaml").read_text()
        for service in FILES:
            self.assertEqual(text.count(f"secrets-{service}:/secrets:ro"), 1, service)
        self.assertEqual(text.count('"secrets:/'), 1)


if __name__ == "__main__":
    unittest.main()
