"""A private cluster: a directory, three servers and our services, on free loopback ports."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from martlet_cluster import keys, ports, process, psql, state
from martlet_cluster.errors import ClusterError
from martlet_cluster.guardian import Guardian
from martlet_cluster.limits import raise_open_files
from martlet_cluster.member import Member
from martlet_cluster.nats import newer_program
from martlet_cluster.patience import longer
from martlet_cluster.roster import Overrides, Roster
from martlet_cluster.service import Service

Progress = Callable[[str], None]


class Cluster(Roster):
    """overrides maps a kind ("edge") or a member ("edge-2") to settings: configuration keys of our
    services, lines of nats-server.conf or redis.conf, parameters of PostgreSQL. Without it they are
    those that the directory's cluster had.

    Not detached, the cluster ends with the process that started it, even if that is killed. The
    object may be used by several threads.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        edges: int = 2,
        dispatchers: int = 2,
        persists: int = 1,
        apis: int = 1,
        nats_servers: int = 1,
        overrides: Overrides | None = None,
        detached: bool = False,
        progress: Progress | None = None,
    ) -> None:
        counts = {"edge": edges, "dispatcher": dispatchers, "persist": persists, "api": apis}
        counts["nats"] = nats_servers
        saved = state.read(Path(directory))
        if overrides is None:
            overrides = saved["overrides"] if saved else {}
        super().__init__(Path(directory).resolve(), overrides, counts)
        self._detached = detached
        self._progress = progress or (lambda line: None)
        self._guardian: Guardian | None = None
        self._lock = threading.RLock()
        if saved is not None:
            self.restore(saved, all_members=False)
        raise_open_files()

    @staticmethod
    def only_servers(directory: Path | str, **options: Any) -> Cluster:
        """NATS, PostgreSQL and Redis without services of ours."""
        return Cluster(directory, edges=0, dispatchers=0, persists=0, apis=0, **options)

    @staticmethod
    def replicated(
        directory: Path | str, *, overrides: Overrides | None = None, **options: Any
    ) -> Cluster:
        """With three NATS servers, and all that they keep on all of them."""
        overrides = {kind: dict(own) for kind, own in (overrides or {}).items()}
        for kind in ("edge", "dispatcher", "persist"):
            overrides.setdefault(kind, {})["nats.replicas"] = 3
        cluster = Cluster(directory, nats_servers=3, overrides=overrides, **options)
        program = newer_program()
        for server in cluster.nats_servers:
            server.program = program
        return cluster

    @staticmethod
    def load(directory: Path | str, progress: Progress | None = None) -> Cluster | None:
        """The cluster that lives in a directory, to be left running; None if there is none."""
        saved = state.read(Path(directory))
        if saved is None:
            return None
        cluster = Cluster.only_servers(directory, detached=True, progress=progress)
        cluster.restore(saved, all_members=True)
        return cluster

    # The whole.

    def start(self, timeout_s: float = 60) -> None:
        """Starts what is not running, and waits until all of it is healthy."""
        self.start_servers(timeout_s)
        self.start_services(timeout_s)

    def start_servers(self, timeout_s: float = 60) -> None:
        self._start_group(self.servers, timeout_s)

    def start_services(self, timeout_s: float = 60) -> None:
        keys.make_pair(self.directory)
        keys.make_api_tokens(self.directory)
        self._start_group(self.services, timeout_s)

    def _start_group(self, members: Iterable[Member], timeout_s: float) -> None:
        with self._lock:
            members = list(members)
            for member in members:
                if not member.alive:
                    relied_on = any(service.alive for service in self.services)
                    self._spawn(member, may_move=isinstance(member, Service) or not relied_on)
            self.wait_healthy(timeout_s, [member.name for member in members])

    def wait_healthy(self, timeout_s: float = 60, names: Iterable[str] | None = None) -> None:
        """Raises with the last lines of the log when one dies or is not healthy in time."""
        begin = spoken = time.monotonic()
        waiting = [self.member(name) for name in names] if names is not None else self.members
        while waiting:
            for member in list(waiting):
                if not member.alive:
                    raise ClusterError(
                        f"{member.name} ended at start; its log:\n{member.log_tail()}"
                    )
                if member.is_ready():
                    waiting.remove(member)
                    self._progress(f"{member.name} is ready ({time.monotonic() - begin:.1f} s)")
            if waiting and time.monotonic() - begin > longer(timeout_s):
                logs = "\n".join(f"--- {member.name}\n{member.log_tail()}" for member in waiting)
                late = ", ".join(member.name for member in waiting)
                raise ClusterError(f"not healthy within {timeout_s:g} s: {late}\n{logs}")
            if waiting and time.monotonic() - spoken > 2:
                spoken = time.monotonic()
                self._progress(f"waiting for {', '.join(member.name for member in waiting)}")
            if waiting:
                time.sleep(0.05)

    def stop_outdated(self) -> None:
        """Stops the services whose programs were built anew since they started."""
        for service in self.services:
            if service.alive and service.process and process.runs_old_program(service.process):
                self._progress(f"{service.name} runs an older program and is stopped")
                self.stop_member(service.name)

    def stop(self, *, abort: bool = False) -> None:
        """Services first, then servers. abort ends them at once (for tests that are over)."""
        with self._lock:
            self._stop_group(self.services, abort)
            self._stop_group(self.servers, abort)
            if self.directory.exists():
                self.save()
            if self._guardian is not None:
                self._guardian.dismiss()
                self._guardian = None

    def _stop_group(self, group: Iterable[Member], abort: bool) -> None:
        running = [member for member in group if member.alive]
        for member in running:
            assert member.process is not None
            member.before_stop()
            process.send_signal(member.process, self._stop_signal(member, abort))
            process.send_signal(member.process, signal.SIGCONT)
        for member in running:
            self._end(member, self._stop_signal(member, abort))

    @staticmethod
    def _stop_signal(member: Member, abort: bool) -> int:
        return member.abort_signal if abort else member.stop_signal

    def wipe(self) -> None:
        """Stops it and forgets everything."""
        self.stop(abort=True)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.directory.exists():
            raise ClusterError(f"{self.directory} could not be removed")

    # One member.

    def start_member(self, name: str, timeout_s: float = 30, *, wait: bool = True) -> None:
        """Starts it where it was before; with wait=False its health is not awaited."""
        with self._lock:
            member = self.member(name)
            if member.alive:
                raise ClusterError(f"{name} is running already")
            self._spawn(member, may_move=False)
        if wait:
            self.wait_healthy(timeout_s, [name])

    def stop_member(self, name: str) -> None:
        member = self.member(name)
        member.before_stop()
        self._end(member, member.stop_signal)

    def restart(self, name: str, timeout_s: float = 30) -> None:
        if self.member(name).alive:
            self.stop_member(name)
        self.start_member(name, timeout_s)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Sends a signal; after SIGKILL the process is gone when this returns."""
        member = self.member(name)
        member.before_stop()
        self._signal(member, number)
        if number == signal.SIGKILL and member.process is not None:
            process.wait_dead(member.process, 10)
            member.after_stop()

    def pause(self, name: str) -> None:
        """Stops the whole process; it stands still when this returns."""
        member = self.member(name)
        self._signal(member, signal.SIGSTOP)
        if not process.wait_until(lambda: process.is_paused(member.process), 5):
            raise ClusterError(f"{name} cannot be paused")

    def resume(self, name: str) -> None:
        self._signal(self.member(name), signal.SIGCONT)

    def wait_exit(self, name: str, timeout_s: float = 30) -> int | None:
        """Waits until it has ended by itself; the exit code if this process had started it."""
        ended = self.member(name).process
        if ended is None or not process.wait_dead(ended, timeout_s):
            raise ClusterError(f"{name} did not end within {timeout_s:g} s")
        return process.final_exit_code(ended)

    def add(self, kind: str, settings: dict[str, Any] | None = None) -> str:
        """Adds and starts one more service; the answer is its name."""
        with self._lock:
            name = self.free_name(kind)
            self.create(kind, name)
            self.overrides[name] = settings or {}
        self.start_member(name)
        return name

    def remove(self, name: str) -> None:
        """Stops a service for good."""
        with self._lock:
            if self.member(name).alive:
                self.stop_member(name)
            self.forget(name)
            self.save()

    def override(self, name: str, key: str, value: Any) -> None:
        """For a kind or a member; holds from its next start."""
        self.overrides.setdefault(name, {})[key] = value

    def wipe_member(self, name: str) -> None:
        """Deletes the data of a stopped member."""
        member = self.member(name)
        if member.alive:
            raise ClusterError(f"{name} is running")
        shutil.rmtree(member.directory, ignore_errors=True)

    def psql(self, sql: str) -> list[list[str]]:
        return psql.query(self.postgres.url, sql)

    # Inside.

    def _base_settings(self, kind: str) -> dict[str, Any]:
        nats = ",".join(server.url_for(kind) for server in self.nats_servers)
        settings: dict[str, Any] = {"nats.url": nats}
        if kind in ("edge", "api"):
            settings["redis.url"] = self.redis.url_for(kind)
        if kind == "edge":
            settings["auth.public_keys"] = str(keys.public_keys(self.directory))
        if kind == "api":
            settings["api.tokens"] = str(keys.api_tokens(self.directory))
        if kind == "persist":
            settings["postgres.url"] = self.postgres.url_for(kind)
            settings["postgres.owner_url"] = self.postgres.url_for("owner")
            settings["auth.signing_key"] = str(keys.signing_key(self.directory))
        return settings

    @process.uninterrupted()
    def _spawn(self, member: Member, *, may_move: bool) -> None:
        """may_move: nobody relies on its ports yet, so a taken one is replaced."""
        self.directory.mkdir(parents=True, exist_ok=True)
        member.log.parent.mkdir(exist_ok=True)
        self._secure_ports(member, may_move)
        overrides = self.overrides
        member.settings = {**overrides.get(member.kind, {}), **overrides.get(member.name, {})}
        if isinstance(member, Service):
            member.base_settings = self._base_settings(member.kind)
        member.prepare()
        if not self._detached and self._guardian is None:
            self._guardian = Guardian(self.directory)
        member.process = process.spawn(
            member.command(), member.log, self.directory, member.environment
        )
        self.save()

    @staticmethod
    def _secure_ports(member: Member, may_move: bool) -> None:
        for name, port in member.ports.items():
            if ports.is_free(port):
                continue
            if may_move:
                member.ports[name] = ports.free_port()
            elif not ports.wait_free(port, 10):
                raise ClusterError(f"port {port} of {member.name} was taken by another program")

    @staticmethod
    def _signal(member: Member, number: int) -> None:
        if member.process is None or not process.send_signal(member.process, number):
            raise ClusterError(f"{member.name} is not running")

    def _end(self, member: Member, number: int) -> None:
        timeout_s = member.stop_timeout_s
        if member.process is not None and not process.stop(member.process, number, timeout_s):
            self._progress(f"{member.name} did not stop within {timeout_s:g} s and was killed")
        member.after_stop()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(abort=True)
