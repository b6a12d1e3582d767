"""Redis without persistence: what is in it is written again by the edges."""

from __future__ import annotations

from martlet_cluster import paths, ports
from martlet_cluster.member import Member, write_private
from martlet_cluster.redis_probe import RedisError, RedisProbe


class Redis(Member):
    kind = "redis"
    port_names = ("client",)
    tuning = {"save": '""'}

    @property
    def url(self) -> str:
        return f"redis://:{self.secret}@{self.address}/0"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        settings: dict[str, object] = {
            "bind": ports.HOST,
            "port": self.port,
            "requirepass": self.secret,
            "dir": f'"{self.directory}"',
            "appendonly": "no",
            "daemonize": "no",
        }
        settings |= {**self.tuning, **self.settings}
        text = "".join(f"{key} {value}\n" for key, value in settings.items())
        write_private(self.directory / "redis.conf", text)

    def command(self) -> list[str]:
        return [str(paths.server_binary("redis-server")), str(self.directory / "redis.conf")]

    def probe(self) -> RedisProbe:
        return RedisProbe(ports.HOST, self.port, self.secret)

    def is_ready(self) -> bool:
        try:
            with self.probe() as probe:
                return bool(probe.command("PING") == "PONG")
        except (OSError, EOFError, RedisError):
            return False
