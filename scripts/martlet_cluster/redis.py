"""Redis without persistence: what is in it is written again by the edges."""

from __future__ import annotations

from martlet_cluster import paths, ports, roles
from martlet_cluster.member import Member, write_private
from martlet_cluster.redis_probe import RedisError, RedisProbe


class Redis(Member):
    kind = "redis"
    port_names = ("client",)
    tuning = {"save": '""'}

    @property
    def url(self) -> str:
        return self.url_for(roles.OPERATOR)

    def url_for(self, role: str) -> str:
        return f"redis://{role}:{self.password_for(role)}@{self.address}/0"

    def password_for(self, role: str) -> str:
        return roles.password(self.secret, role)

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        settings: dict[str, object] = {
            "bind": ports.HOST,
            "port": self.port,
            "aclfile": f'"{self.directory}/users.acl"',
            "dir": f'"{self.directory}"',
            "appendonly": "no",
            "daemonize": "no",
        }
        settings |= {**self.tuning, **self.settings}
        text = "".join(f"{key} {value}\n" for key, value in settings.items())
        write_private(self.directory / "users.acl", roles.redis_users(self.secret))
        write_private(self.directory / "redis.conf", text)

    def command(self) -> list[str]:
        return [str(paths.server_binary("redis-server")), str(self.directory / "redis.conf")]

    def probe(self, role: str = roles.OPERATOR) -> RedisProbe:
        return RedisProbe(ports.HOST, self.port, (role, self.password_for(role)))

    def is_ready(self) -> bool:
        try:
            with self.probe() as probe:
                return bool(probe.command("PING") == "PONG")
        except (OSError, EOFError, RedisError):
            return False
