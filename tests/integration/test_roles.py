"""Each service has its own user at NATS, PostgreSQL and Redis, with the rights that compose/ gives it: what
none of them may do is refused. That the rights suffice is shown by every other test, whose clusters have the
same ones."""

from __future__ import annotations

import os
import subprocess
import unittest
from collections.abc import Callable

from support import ClusterTest, new_directory

from martlet_cluster import paths, psql, roles
from martlet_cluster.nats_probe import NatsProbe
from martlet_cluster.redis_probe import RedisError, RedisProbe

ROLES = ("edge", "dispatcher", "persist", "api")

# What each may publish, once; everything in this table is refused to all others.
PUBLISH = {
    "im.in.3.u.ann": {"edge"},
    "im.in.3.g.team": {"edge"},
    "im.hb.edge.x1": {"edge"},
    **{f"im.status.{role}": {role} for role in ROLES},
    "im.rpc.account": {"edge"},
    "im.rpc.read": {"edge"},
    "im.rpc.groups": {"edge"},
    "im.rpc.moves": {"edge"},
    "im.rpc.admin": {"api"},
    "im.rpc.audit": {"api"},
    "im.rpc.trace": {"api"},
    "im.trace": {"edge", "dispatcher"},
    "im.rpc.shard": {"dispatcher"},
    "im.rpc.cold": {"dispatcher"},
    "im.log.3": {"dispatcher"},
    "im.g.team": {"dispatcher"},
    "im.e.x1": {"dispatcher", "persist"},
    "im.own.3": {"dispatcher"},
    "im.wm.3": {"persist"},
    # Edges tell where a device is now, persist who was signed out.
    "im.u.ann": {"edge", "dispatcher", "persist"},
    "im.other": set(),
    # Answers, and what a service tells itself.
    "_INBOX.edge.x.a.1": {"edge", "persist", "api"},
    "_INBOX.dispatcher.x.a.1": {"dispatcher", "persist"},
    "_INBOX.persist.x.a.1": {"persist"},
    "_INBOX.api.x.a.1": {"api", "persist"},
    "_INBOX.operator.x": set(),
    # Leases.
    "$KV.im_leases.dispatch.shard.3": {"dispatcher"},
    "$KV.im_leases.dispatch.beat.x": {"dispatcher"},
    "$KV.im_leases.persist.shard.3": {"persist"},
    "$KV.im_leases.persist.beat.x": {"persist"},
    "$KV.im_leases.cluster": {"dispatcher", "persist"},
    "$JS.API.STREAM.MSG.GET.KV_im_leases": {"edge", "dispatcher", "persist"},
    "$JS.API.STREAM.CREATE.KV_im_leases": {"edge", "dispatcher", "persist"},
    "$JS.API.STREAM.UPDATE.KV_im_leases": set(),
    "$JS.API.STREAM.PURGE.KV_im_leases": set(),
    "$JS.API.STREAM.DELETE.KV_im_leases": set(),
    # Logs.
    "$JS.API.STREAM.CREATE.IM_LOG_3": {"dispatcher"},
    "$JS.API.STREAM.UPDATE.IM_LOG_3": {"dispatcher"},
    "$JS.API.STREAM.PURGE.IM_LOG_3": {"persist"},
    "$JS.API.STREAM.DELETE.IM_LOG_3": set(),
    "$JS.API.STREAM.MSG.DELETE.IM_LOG_3": set(),
    "$JS.API.STREAM.MSG.GET.IM_LOG_3": set(),
    "$JS.API.STREAM.SNAPSHOT.IM_LOG_3": set(),
    "$JS.API.STREAM.RESTORE.IM_LOG_3": set(),
    "$JS.API.STREAM.INFO.IM_LOG_3": {"dispatcher", "persist"},
    "$JS.API.STREAM.LIST": {"dispatcher", "persist"},
    "$JS.API.CONSUMER.CREATE.IM_LOG_3": {"dispatcher", "persist"},
    "$JS.API.CONSUMER.DURABLE.CREATE.IM_LOG_3.c": set(),
    "$JS.API.CONSUMER.MSG.NEXT.IM_LOG_3.c": {"dispatcher", "persist"},
    "$JS.API.CONSUMER.DELETE.IM_LOG_3.c": {"dispatcher", "persist"},
    "$SYS.REQ.SERVER.PING": set(),
}
SUBSCRIBE = {
    ">": set(),
    "im.>": set(),
    "_INBOX.>": set(),
    "_INBOX.*.x": set(),
    "im.in.3.>": {"dispatcher"},
    "im.log.3": set(),
    "im.u.ann": {"edge"},
    "im.g.team": {"edge"},
    "im.e.x1": {"edge"},
    "im.own.*": {"edge"},
    "im.wm.*": {"dispatcher", "persist"},
    "im.hb.edge.*": {"api"},
    "im.status.*": {"api"},
    "im.rpc.moves api": {"api"},
    "im.rpc.moves": set(),
    "im.rpc.account persist": {"persist"},
    "im.rpc.account": set(),
    "im.rpc.read persist": {"persist"},
    "im.rpc.shard persist": {"persist"},
    "im.rpc.cold persist": {"persist"},
    "im.rpc.groups persist": {"persist"},
    "im.rpc.admin persist": {"persist"},
    "im.rpc.admin": set(),
    "im.rpc.audit persist": {"persist"},
    "im.rpc.trace persist": {"persist"},
    "im.rpc.trace": set(),
    "im.trace": {"api"},
    "$KV.im_leases.>": {"dispatcher", "persist"},
    "$JS.API.>": set(),
    "$JS.EVENT.>": set(),
    "$SYS.>": set(),
    **{f"_INBOX.{role}.>": {role} for role in ROLES},
}

KEY = "im:user:ann"
REDIS = {
    ("HSET", KEY, "phone", "{}"): {"edge"},
    ("PEXPIRE", KEY, 90_000): {"edge"},
    ("EVAL", "return redis.call('HDEL', KEYS[1], ARGV[1])", 1, KEY, "x"): {"edge"},
    ("HGETALL", KEY): {"api"},
    ("EVAL", "return redis.call('HSET', 'other', 'a', 'b')", 1, KEY): set(),
    ("EVAL", "return redis.call('FLUSHALL')", 1, KEY): set(),
    ("HSET", "other", "a", "b"): set(),
    ("HGETALL", "other"): set(),
    ("KEYS", "*"): set(),
    ("SCAN", 0): set(),
    ("DEL", KEY): set(),
    ("FLUSHALL",): set(),
    ("CONFIG", "GET", "dir"): set(),
    ("CONFIG", "SET", "dir", "/tmp"): set(),
    ("ACL", "LIST"): set(),
    ("INFO",): set(),
    ("MONITOR",): set(),
    ("SUBSCRIBE", "c"): set(),
    ("SHUTDOWN",): set(),
}

# Refused to persist's role, and those that even the owner of the tables is refused.
SQL_OF_OWNER = (
    "create table mine (n int)",
    "alter table messages add column extra int",
    "drop table messages",
    "truncate messages",
    "create function f() returns int language sql as 'select 1'",
)
SQL_OF_NOBODY = (
    "create database other",
    "create role other",
    "create schema other",
    "create temp table mine (n int)",
    "alter role martlet_persist superuser",
    "set role martlet",
    "select * from pg_authid",
    "select pg_read_file('/etc/passwd')",
    "copy (select 1) to program 'cat'",
    "alter system set fsync = off",
)
REFUSED = "denied|must be (owner|superuser)"


class NatsRoles(ClusterTest):
    servers_only = True
    refused_by_nats = True

    def test_what_each_may_publish(self) -> None:
        self.check(PUBLISH, lambda probe, subject: probe.publish(subject, b"{}"))

    def test_what_each_may_hear(self) -> None:
        self.check(SUBSCRIBE, lambda probe, subject: probe.subscribe(subject))

    def check(
        self, table: dict[str, set[str]], act: Callable[[NatsProbe, str], object]
    ) -> None:
        for role in ROLES:
            with NatsProbe(self.cluster.nats, role=role) as probe:
                for subject, allowed in table.items():
                    with self.subTest(role=role, subject=subject):
                        act(probe, subject)
                        self.assertEqual(not probe.violations(), role in allowed)

    def test_nobody_comes_in_with_another_password(self) -> None:
        with self.assertRaises(ConnectionError):
            NatsProbe(self.cluster.nats, role="somebody")

    def test_an_answer_reaches_only_who_asked(self) -> None:
        with (
            NatsProbe(self.cluster.nats, role="edge") as edge,
            NatsProbe(self.cluster.nats, role="dispatcher") as spy,
            NatsProbe(self.cluster.nats, role="persist") as persist,
        ):
            inbox = edge.subscribe("_INBOX.edge.x.a.*")
            heard = [spy.subscribe(subject) for subject in ("_INBOX.edge.>", "_INBOX.>", ">")]
            desk = persist.subscribe("im.rpc.account persist")
            edge.publish("im.rpc.account", b"a password", "_INBOX.edge.x.a.1")
            [request] = persist.collect(desk, 1)
            persist.publish(request.reply, b"a token")
            self.assertEqual([m.data for m in edge.collect(inbox, 1)], [b"a token"])
            self.assertEqual(len(spy.violations()), len(heard))
            self.assertEqual([m for one in heard for m in one.messages], [])


class RedisRoles(ClusterTest):
    servers_only = True

    def test_what_each_may_do(self) -> None:
        for role in ("edge", "api"):
            for words, allowed in REDIS.items():
                with self.subTest(role=role, words=words), self.cluster.redis.probe(role) as probe:
                    self.assertEqual(self.refusal(probe, *words) == "", role in allowed)

    def test_who_says_no_name_may_do_nothing(self) -> None:
        host, port = self.cluster.redis.address.split(":")
        with RedisProbe(host, int(port)) as probe:
            self.assertIn("NOAUTH", self.refusal(probe, "PING"))
        for user in (("default", ""), ("dispatcher", "x"), ("edge", "x")):
            with self.subTest(user), self.assertRaises(RedisError):
                RedisProbe(host, int(port), user)

    @staticmethod
    def refusal(probe: RedisProbe, *words: str | int) -> str:
        try:
            probe.command(*words)
        except RedisError as error:
            return str(error)
        return ""


class WholeCluster(ClusterTest):
    """Services as themselves; and what PostgreSQL lets them do with the tables that they have made."""

    edges = 1
    dispatchers = 1

    def test_each_service_is_its_own_user(self) -> None:
        users: dict[str, set[str]] = {}
        for link in self.cluster.nats.monitor("connz?auth=1")["connections"]:
            kind = link["name"].rpartition("-")[0]
            users.setdefault(kind, set()).add(link["authorized_user"])
        self.assertEqual(users, {role: {role} for role in ROLES})
        rows = self.cluster.psql(
            "select distinct usename from pg_stat_activity where application_name like 'martlet-%'"
        )
        self.assertEqual(rows, [["martlet_persist"]])

    def test_persist_changes_rows_and_not_tables(self) -> None:
        persist, owner = (self.cluster.postgres.url_for(role) for role in ("persist", "owner"))
        self.assertEqual(psql.query(persist, "select count(*) from cluster"), [["1"]])
        for sql in SQL_OF_OWNER + SQL_OF_NOBODY:
            with self.subTest(sql), self.assertRaisesRegex(psql.PsqlError, REFUSED):
                psql.query(persist, sql)
        for sql in SQL_OF_OWNER:
            with self.subTest(owner=sql):
                psql.query(owner, f"begin; {sql}; rollback")
        for sql in SQL_OF_NOBODY:
            with self.subTest(owner=sql), self.assertRaisesRegex(psql.PsqlError, REFUSED):
                psql.query(owner, sql)

    def test_the_image_s_script_gives_new_passwords(self) -> None:
        postgres, secrets = self.cluster.postgres, new_directory("secrets")
        (secrets / "roles.sql").write_text((roles.DIRECTORY / "postgres-roles.sql").read_text())
        for role in roles.POSTGRES:
            (secrets / f"{role}_password").write_text(f"new-{role}\n")
        self.addCleanup(psql.query, postgres.url, roles.postgres_roles(postgres.secret))
        host, port = postgres.address.split(":")
        environment = {
            **os.environ,
            "PATH": f"{paths.postgres_bin()}:{os.environ['PATH']}",
            "PGHOST": host,
            "PGPORT": port,
            "PGPASSWORD": postgres.secret,
            "POSTGRES_USER": "martlet",
            "POSTGRES_DB": "martlet",
            "MARTLET_SECRETS": str(secrets),
        }
        script = str(roles.DIRECTORY / "postgres-roles.sh")
        subprocess.run(["bash", script], env=environment, check=True, stdout=subprocess.DEVNULL)
        for role in roles.POSTGRES:
            old = postgres.url_for(role)
            new = old.replace(roles.password(postgres.secret, role), f"new-{role}")
            self.assertEqual(psql.query(new, "select 1"), [["1"]])
            with self.assertRaisesRegex(psql.PsqlError, "authentication failed"):
                psql.query(old, "select 1")

    def test_tables_of_before_are_taken_over(self) -> None:
        """A database whose tables the administrator made."""
        self.cluster.psql("create table public.older (n int generated always as identity)")
        self.addCleanup(self.cluster.psql, "drop table public.older")
        self.cluster.restart("postgres")
        [[owner]] = self.cluster.psql("select tableowner from pg_tables where tablename = 'older'")
        self.assertEqual(owner, "martlet_owner")
        psql.query(self.cluster.postgres.url_for("persist"), "insert into older default values")


if __name__ == "__main__":
    unittest.main()
