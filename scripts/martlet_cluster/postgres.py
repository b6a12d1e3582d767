"""PostgreSQL with a data directory and an administrator of its own, on TCP only."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from martlet_cluster import paths, ports, psql, roles
from martlet_cluster.member import Member
from martlet_cluster.postgres_template import DATABASE, SUPERUSER, make_data
from martlet_cluster.postgres_user import PostgresUser
from martlet_cluster.process import ProcessId, children_of, is_alive, wait_until


class Postgres(Member):
    kind = "postgres"
    port_names = ("client",)
    # SIGTERM would wait for every client to leave.
    stop_signal = signal.SIGINT
    abort_signal = signal.SIGQUIT
    tuning = {"shared_buffers": "64MB", "max_wal_size": "512MB", "jit": "off"}

    def __init__(self, name: str, cluster_directory: Path) -> None:
        super().__init__(name, cluster_directory)
        self._backends: list[ProcessId] = []
        self._has_roles = False

    @property
    def url(self) -> str:
        """The administrator's."""
        return f"postgresql://{SUPERUSER}:{self.secret}@{self.address}/{DATABASE}"

    def url_for(self, role: str) -> str:
        password = roles.password(self.secret, role)
        return f"postgresql://martlet_{role}:{password}@{self.address}/{DATABASE}"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def prepare(self) -> None:
        self._has_roles = False
        self.directory.mkdir(parents=True, exist_ok=True)
        user = PostgresUser(self.directory)
        user.own(self.directory)
        if not self.data.exists():
            make_data(user, self.data, self.secret)
        self._remove_stale_pid_file()

    def _remove_stale_pid_file(self) -> None:
        """After a reboot the pid in it may be another program's, and PostgreSQL would not start."""
        file = self.data / "postmaster.pid"
        try:
            pid = int(file.read_text().split("\n")[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self.data).encode() not in command:
            file.unlink()

    def command(self) -> list[str]:
        settings: dict[str, object] = {
            "listen_addresses": ports.HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 100,
            "fsync": "on",
            "log_line_prefix": "%m [%p] ",
        }
        settings |= {**self.tuning, **self.settings}
        user = PostgresUser(self.directory)
        command = [*user.prefix, str(paths.postgres_bin() / "postgres"), "-D", str(self.data)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return command

    def is_ready(self) -> bool:
        try:
            if psql.query(self.url, "select 1", timeout_s=2) != [["1"]]:
                return False
            if not self._has_roles:
                psql.query(self.url, roles.postgres_roles(self.secret))
                self._has_roles = True
            return True
        except (psql.PsqlError, subprocess.TimeoutExpired):
            return False

    def before_stop(self) -> None:
        self._backends = children_of(self.process) if self.process else []

    def after_stop(self) -> None:
        """Backends outlive a killed postmaster by a moment, and while one lives no new one starts."""
        wait_until(lambda: not any(is_alive(backend) for backend in self._backends), 10)
