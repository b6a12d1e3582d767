"""Our own services: configuration, ready file and health page are the same for all of them."""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from martlet_cluster import keys, paths, ports
from martlet_cluster.member import Member, write_private
from martlet_cluster.patience import longer


# The services' default.
STOP_TIMEOUT_MS = 10_000


def to_toml(settings: dict[str, Any]) -> str:
    """{"nats.url": "x"} becomes url = "x" in the table [nats]."""
    tables: dict[str, list[str]] = {"": []}
    for key, value in settings.items():
        table, _, name = key.rpartition(".")
        # JSON's way of writing strings, numbers, booleans and lists of them is TOML's too.
        tables.setdefault(table, []).append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    parts = []
    for table, lines in sorted(tables.items()):
        header = [f"[{table}]"] if table else []
        parts.append("\n".join(header + lines) + "\n")
    return "\n".join(parts)


class Service(Member):
    port_names: tuple[str, ...] = ("http",)

    def __init__(self, name: str, cluster_directory: Path) -> None:
        super().__init__(name, cluster_directory)
        self.ready_file = self.directory / "ready.json"
        self.config_file = self.directory / "config.toml"
        # What every service gets from the cluster; the settings of a test or person win over it.
        self.base_settings: dict[str, Any] = {}
        # Where its program comes from, if it is of another version; holds from its next start.
        self.build: Path | None = None

    def own_settings(self) -> dict[str, Any]:
        return {}

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        settings = {
            "name": self.name,
            "ready_file": str(self.ready_file),
            "http.listen": f"{ports.HOST}:{self.ports['http']}",
        }
        settings |= self.base_settings | self.own_settings()
        if self.build is not None:
            known = self._known_keys()
            settings = {key: value for key, value in settings.items() if key in known}
        settings |= self.settings
        write_private(self.config_file, to_toml(settings))

    def command(self) -> list[str]:
        return [str(self.program), "--config", str(self.config_file)]

    @property
    def program(self) -> Path:
        return paths.service_binary(self.kind, self.build)

    def _known_keys(self) -> set[str]:
        """Another version may not have all of ours, and refuses what it does not know."""
        done = subprocess.run(
            [str(self.program), "--describe"], capture_output=True, text=True, check=True
        )
        return {key["name"] for key in json.loads(done.stdout)["keys"]}

    @property
    def stop_timeout_s(self) -> float:
        """It gives up by itself before."""
        return float(self.settings.get("stop_timeout_ms", STOP_TIMEOUT_MS)) / 1e3 + 5

    def report(self) -> dict[str, Any] | None:
        """The ready file of the running process, None before it is ready."""
        try:
            value: dict[str, Any] = json.loads(self.ready_file.read_text())
        except (OSError, ValueError):
            return None
        if self.process is None or value.get("pid") != self.process.pid:
            return None
        return value

    @property
    def http(self) -> str:
        return str((self.report() or {}).get("http") or f"{ports.HOST}:{self.ports['http']}")

    @property
    def address(self) -> str:
        return self.http

    def get(self, page: str, timeout_s: float = 5.0) -> tuple[int, str]:
        """Status and body of an HTTP page, e.g. /metrics; raises OSError without an answer."""
        return self._ask("GET", page, {}, timeout_s)

    def _ask(
        self, method: str, page: str, headers: dict[str, str], timeout_s: float
    ) -> tuple[int, str]:
        request = urllib.request.Request(f"http://{self.http}{page}", method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=longer(timeout_s)) as response:
                return int(response.status), response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(f"{self.name} gave no HTTP answer: {error!r}") from error

    def metrics(self) -> dict[str, float]:
        """The metrics page: series as written, with labels, to value."""
        status, text = self.get("/metrics")
        if status != 200:
            raise OSError(f"{self.name} answers /metrics with {status}")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}

    def is_ready(self) -> bool:
        if self.report() is None:
            return False
        try:
            return self.get("/readyz", 1.0)[0] == 200
        except OSError:
            return False


class Edge(Service):
    kind = "edge"
    port_names = ("listen", "http")

    def own_settings(self) -> dict[str, Any]:
        return {"edge.listen": f"{ports.HOST}:{self.ports['listen']}"}

    @property
    def listen(self) -> str:
        """Where clients connect."""
        return str((self.report() or {}).get("listen") or f"{ports.HOST}:{self.ports['listen']}")

    @property
    def address(self) -> str:
        return self.listen


class Dispatcher(Service):
    kind = "dispatcher"


class Persist(Service):
    kind = "persist"


class Api(Service):
    kind = "api"

    def get(self, page: str, timeout_s: float = 5.0, *, role: str = "admin") -> tuple[int, str]:
        return self._ask("GET", page, self.bearer(role), timeout_s)

    def post(self, page: str, timeout_s: float = 30.0, *, role: str = "admin") -> tuple[int, str]:
        return self._ask("POST", page, self.bearer(role), timeout_s)

    def bearer(self, role: str) -> dict[str, str]:
        """The header for somebody of that role; empty: nobody."""
        token = keys.api_token(self.directory.parent, role) if role else ""
        return {"Authorization": f"Bearer {token}"} if token else {}
