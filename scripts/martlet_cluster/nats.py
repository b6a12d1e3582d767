"""nats-server with JetStream on disk."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from martlet_cluster import paths, ports, roles
from martlet_cluster.errors import ClusterError
from martlet_cluster.member import Member, write_private

# The streams' limits are what bounds the disk; this one only has to let them all be created.
MAX_FILE_STORE = "256GB"


def newer_program() -> Path:
    """A nats-server of 2.10 or later, fetched if need be: Debian 12's 2.9 is known to lose messages when
    there are several."""
    script = paths.ROOT / "scripts/lib/newer_nats.sh"
    done = subprocess.run(["bash", str(script)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError("a cluster needs nats-server 2.10 or later, which could not be fetched")
    return Path(done.stdout.split()[-1])


class Nats(Member):
    kind = "nats"
    port_names = ("client", "monitor", "route")
    tuning = {"max_memory_store": "256MB", "max_file_store": MAX_FILE_STORE}
    # Its garbage is collected when it is 40 % of what is in use instead of as much: an idle user costs a
    # quarter less memory, a message some 5 % more of its CPU, and a quarter more while a fresh server's heap is
    # small. As in compose/compose.yaml.
    environment = {"GOGC": "40"}

    def __init__(self, name: str, cluster_directory: Path) -> None:
        super().__init__(name, cluster_directory)
        self.peers: list[Nats] = []  # all servers of a cluster of them, this one too; else empty
        self.program: Path | None = None  # the machine's

    @property
    def url(self) -> str:
        """Of the operator, whom this broker takes everybody for who does not say who they are."""
        return f"nats://{self.address}"

    def url_for(self, role: str) -> str:
        return f"nats://{role}:{self.password_for(role)}@{self.address}"

    def password_for(self, role: str) -> str:
        return roles.password(self._secret, role)

    @property
    def _secret(self) -> str:
        """One of the servers' that is everybody's."""
        return self.peers[0].secret if self.peers else self.secret

    @property
    def store(self) -> str:
        return str(self.directory / "store")

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        store = ", ".join(f"{key}: {value}" for key, value in self.tuning.items())
        lines = [
            f"server_name: {self.name}",
            f"listen: {self.address}",
            f"http: {ports.HOST}:{self.ports['monitor']}",
            "max_payload: 1MB",
            "include ./nats-roles.conf",
            f"no_auth_user: {roles.OPERATOR}",
            f'jetstream {{ store_dir: "{self.store}", {store} }}',
        ]
        if self.peers:
            routes = ", ".join(f"nats://{ports.HOST}:{peer.ports['route']}" for peer in self.peers)
            # What clients are told of others would lead them past the proxies of tests.
            lines.append(
                f"cluster {{ name: martlet, listen: {ports.HOST}:{self.ports['route']},"
                f" routes: [{routes}], no_advertise: true }}"
            )
        # A later line wins over an earlier one.
        lines += [f"{key}: {value}" for key, value in self.settings.items()]
        write_private(self.directory / "nats-roles.conf", roles.nats_roles())
        write_private(self.directory / "nats-passwords.conf", roles.nats_passwords(self._secret))
        write_private(self.directory / "nats-server.conf", "\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [
            str(self.program or paths.server_binary("nats-server")),
            "--config",
            str(self.directory / "nats-server.conf"),
        ]

    def monitor(self, page: str, timeout_s: float = 5.0) -> Any:
        """A page of the monitoring port as JSON, e.g. connz?subs=1 or jsz?streams=1."""
        url = f"http://{ports.HOST}:{self.ports['monitor']}/{page}"
        with urllib.request.urlopen(url, timeout=timeout_s) as response:
            return json.load(response)

    def is_ready(self) -> bool:
        try:
            return bool(self.monitor("healthz", 1.0).get("status") == "ok")
        except (OSError, ValueError):
            return False
