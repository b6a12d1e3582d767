"""What people do to users and edges through the api: who may, what comes of it, and that it is written down."""

from __future__ import annotations

import json
import subprocess
import unittest
from pathlib import Path
from typing import Any

from support import ClusterTest, longer, new_directory, wait_until
from swarm import add_accounts

from martlet_cluster import keys, paths

PASSWORD = "correct horse"


class Admin(ClusterTest):
    edges = 2
    dispatchers = 1

    def setUp(self) -> None:
        self.homes = new_directory("homes")
        self.api = self.cluster.apis[0]

    def martlet(self, home: str, *words: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        servers = ",".join(edge.listen for edge in self.cluster.edges)
        tool = str(paths.built("src/tools/martlet"))
        return subprocess.run(
            [tool, "--server", servers, "--home", str(self.homes / home), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=longer(timeout_s),
            env={"MARTLET_PASSWORD": PASSWORD, "HOME": str(self.homes)},
        )

    def admin(self, *words: str, role: str = "admin") -> subprocess.CompletedProcess[str]:
        token: Path = keys.api_token_file(self.cluster.directory, role)
        options = ("--api", f"http://{self.api.http}", "--api-token-file", str(token))
        return self.martlet("admin", *options, "admin", *words)

    def done(self, *words: str) -> str:
        result = self.admin(*words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def register(self, user: str, *devices: str) -> None:
        first, *others = devices
        done = self.martlet(f"{user}-{first}", "register", user, "--device", first)
        self.assertEqual(done.returncode, 0, done.stderr)
        for device in others:
            self.assertEqual(self.log_in(user, device).returncode, 0)

    def log_in(self, user: str, device: str) -> subprocess.CompletedProcess[str]:
        return self.martlet(f"{user}-{device}", "login", user, "--device", device)

    def devices(self, user: str, seen_by: str) -> str:
        return self.martlet(f"{user}-{seen_by}", "devices").stdout

    def latest(self) -> dict[str, Any]:
        status, text = self.api.get("/v1/audit?limit=1")
        self.assertEqual(status, 200, text)
        return dict(json.loads(text)["acts"][0])

    def test_a_revoked_device_needs_its_password_again(self) -> None:
        self.register("ann", "phone", "laptop")
        self.assertIn("signed out: 1", self.done("revoke", "ann", "phone"))
        self.assertNotIn("phone", self.devices("ann", "laptop"))
        act = self.latest()
        self.assertEqual(
            (act["who"], act["act"], act["user"], act["device"]), ("admin", "revoke", "ann", "phone")
        )
        self.assertEqual(self.log_in("ann", "phone").returncode, 0)
        self.assertIn("signed out: 2", self.done("revoke", "ann"))

    def test_a_banned_device_may_not_come_back(self) -> None:
        self.register("ben", "tablet", "laptop")
        self.done("ban", "ben", "tablet")
        refused = self.log_in("ben", "tablet")
        self.assertIn("DEVICE_BANNED", refused.stderr)
        self.assertEqual(self.log_in("ben", "laptop").returncode, 0, "the others may")
        self.done("ban", "ben", "never-seen")
        self.assertIn("DEVICE_BANNED", self.log_in("ben", "never-seen").stderr)
        self.done("unban", "ben", "tablet")
        self.assertEqual(self.log_in("ben", "tablet").returncode, 0)

    def test_a_kicked_device_comes_back(self) -> None:
        self.register("cid", "phone")
        home = str(self.homes / "cid-phone")
        listener = subprocess.Popen(
            [str(paths.built("src/tools/martlet")), "--home", home, "-v", "listen"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        page = "/v1/users/cid/sessions"

        def session() -> str:
            sessions = json.loads(self.api.get(page)[1])["sessions"]
            return str(sessions[0]["session"]) if sessions else ""

        before = wait_until(session, what="cid is connected")
        self.done("kick", "cid")
        wait_until(lambda: session() not in ("", before), what="cid is back, in a new session")

    def test_a_revoked_session_ends(self) -> None:
        self.register("dan", "phone")
        home = str(self.homes / "dan-phone")
        listener = subprocess.Popen(
            [str(paths.built("src/tools/martlet")), "--home", home, "listen"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(listener.kill)
        page = "/v1/users/dan/sessions"
        wait_until(lambda: json.loads(self.api.get(page)[1])["sessions"], what="dan is connected")
        self.done("revoke", "dan")
        self.assertNotEqual(listener.wait(longer(30)), 0)
        assert listener.stderr is not None
        self.assertIn("Revoked", listener.stderr.read())
        listener.stderr.close()

    def test_an_edge_is_drained_by_command(self) -> None:
        name = self.cluster.add("edge", {"stop_timeout_ms": 30_000})
        edge = next(one for one in self.cluster.edges if one.name == name)

        def known() -> str:
            edges = json.loads(self.api.get("/v1/edges")[1])["edges"]
            return next((str(one["edge"]) for one in edges if one["address"] == edge.listen), "")

        self.done("drain", wait_until(known, what="the api knows the edge"))
        self.assertEqual(self.cluster.wait_exit(name), 0)
        self.assertEqual(self.latest()["act"], "drain")
        self.cluster.remove(name)
        self.assertIn("NO_SUCH_EDGE", self.admin("drain", "0123456789abcdef").stderr)

    def test_who_has_no_role_for_it_is_refused(self) -> None:
        add_accounts(self.cluster, ["eve"])
        before = self.latest_id()
        for role, act in (("viewer", "kick"), ("operator", "revoke")):
            refused = self.admin(act, "eve", role=role)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("FORBIDDEN", refused.stderr)
        self.assertEqual(self.api.post("/v1/users/eve/kick", role="")[0], 401)
        self.assertEqual(self.api.get("/v1/edges", role="")[0], 401)
        self.assertEqual(self.latest_id(), before, "nothing was done")
        self.assertIn("NO_SUCH_USER", self.admin("kick", "nobody").stderr)
        self.assertEqual(self.latest_id(), before)

    def latest_id(self) -> int:
        acts = json.loads(self.api.get("/v1/audit?limit=1")[1])["acts"]
        return int(acts[0]["id"]) if acts else 0

    def test_what_cannot_be_written_down_is_not_done(self) -> None:
        self.register("fay", "phone")
        self.cluster.psql("ALTER TABLE audit RENAME TO audit_away")
        try:
            status, text = self.api.post("/v1/users/fay/devices/phone/ban")
            self.assertEqual(status, 503, text)
        finally:
            self.cluster.psql("ALTER TABLE audit_away RENAME TO audit")
        self.assertEqual(self.log_in("fay", "phone").returncode, 0, "nothing was done")

    def test_without_an_api_the_arguments_are_wrong(self) -> None:
        for words in (("who", "ann"), ("admin", "edges"), ("admin", "kick", "ann")):
            asked = self.martlet("nobody", *words)
            self.assertEqual(asked.returncode, 2, words)
            self.assertIn("which api?", asked.stderr)

    def test_the_audit_log_is_printed(self) -> None:
        self.register("gus", "phone")
        self.done("kick", "gus", "phone")
        self.assertRegex(self.done("audit").splitlines()[0], r"Z admin kick user=gus device=phone$")


if __name__ == "__main__":
    unittest.main()
