"""The users of the servers and their rights: the files that compose/ has, with passwords of this cluster.
So every test shows that the rights suffice, and those of nobody else are used by accident."""

from __future__ import annotations

import hashlib

from martlet_cluster import paths

DIRECTORY = paths.ROOT / "compose"
# Who may do everything: people, and tests that look from outside.
OPERATOR = "operator"
NATS = ("edge", "dispatcher", "persist", "api", OPERATOR)
REDIS = ("edge", "api", OPERATOR)
POSTGRES = ("owner", "persist")


def password(secret: str, role: str) -> str:
    """Each role's own, from the one secret of a server that is remembered."""
    return hashlib.sha256(f"{secret} {role}".encode()).hexdigest()[:32]


def nats_roles() -> str:
    return (DIRECTORY / "nats-roles.conf").read_text()


def nats_passwords(secret: str) -> str:
    return "".join(f'{role}_password: "{password(secret, role)}"\n' for role in NATS)


def redis_users(secret: str) -> str:
    """Redis wants no comments, and digests."""
    text = (DIRECTORY / "redis-roles.acl").read_text()
    for role in REDIS:
        digest = hashlib.sha256(password(secret, role).encode()).hexdigest()
        text = text.replace(f"@{role.upper()}@", digest)
    return "".join(line + "\n" for line in text.splitlines() if not line.startswith("#"))


def postgres_roles(secret: str) -> str:
    """For psql, as the administrator."""
    variables = [f"\\set {role}_password '{password(secret, role)}'\n" for role in POSTGRES]
    return "".join(variables) + (DIRECTORY / "postgres-roles.sql").read_text()
