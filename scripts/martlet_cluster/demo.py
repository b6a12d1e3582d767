"""The demonstration that ./dev up plays: what is shown is what the command line client prints."""

from __future__ import annotations

import re
import secrets
import sys
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from martlet_cluster import paths
from martlet_cluster.cluster import Cluster
from martlet_cluster.errors import ClusterError
from martlet_cluster.member import write_private
from martlet_cluster.tool import Finished, RunningTool, Tool

# The two of the demonstration; nobody else uses their homes, so that it goes the same way each time.
ACTORS = ("demo-ann", "demo-ben")
# For whoever started the cluster: signed in, each with all edges and another one first.
PEOPLE = ("ann", "ben")
LIVE_TEXT = "Hello Ben, this comes from another edge."
AWAY_TEXT = "You are away now; this waits for you."


def homes(cluster: Cluster) -> Path:
    return cluster.directory / "home"


class Actor:
    """A user at one edge whose commands and their output are shown as they happen."""

    def __init__(
        self, name: str, servers: Sequence[str], parent: Path, say: Callable[[str], None]
    ) -> None:
        self.name = name
        self.tool = Tool(servers, parent / name)
        self._server = servers[0]
        self._say = say

    def show_command(self, *words: str) -> None:
        typed = [paths.shown(Path(word)) if word.startswith("/") else word for word in words]
        quoted = [f"'{word}'" if " " in word else word for word in typed]
        self._say(f"{self.name} at {self._server} $ martlet {' '.join(quoted)}")

    def show_line(self, line: str) -> None:
        self._say(f"  {self.name} | {line}")

    def run(self, *words: str) -> Finished:
        self.show_command(*words)
        try:
            done = self.tool.run(*words)
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"the demonstration failed: no end of martlet {words[0]}") from error
        for line in [*done.lines, *done.errors.splitlines()]:
            self.show_line(line)
        return done

    def start(self, *words: str) -> RunningTool:
        self.show_command(*words)
        return self.tool.start(*words, echo=self.show_line)


def expect(done: Finished, pattern: str) -> re.Match[str]:
    """The line that should be there."""
    for line in done.lines:
        if match := re.search(pattern, line):
            return match
    raise ClusterError(f"the demonstration failed: no line like {pattern} above")


def sign_in(actor: Actor, password: Path) -> None:
    """The first time with a new account; later ones, the account is there."""
    words = (actor.name, "--password-file", str(password))
    done = actor.run("register" if not actor.tool.home.exists() else "login", *words)
    if "USER_TAKEN" in done.errors:
        done = actor.run("login", *words)
    expect(done, f"logged in as {actor.name}/")


def live_message(sender: Actor, receiver: Actor) -> None:
    with receiver.start("listen", "--count", "1") as listening:
        try:
            listening.wait_for(f"^online {receiver.name}/")
            sent = expect(sender.run("send", receiver.name, LIVE_TEXT), r"seq=(\d+)")
            listening.wait_for(rf"seq={sent[1]} {sender.name}: {re.escape(LIVE_TEXT)}$")
            listening.wait()
        except AssertionError as error:
            raise ClusterError(f"the demonstration failed: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise ClusterError("the demonstration failed: no end of martlet listen") from error


def message_to_somebody_away(sender: Actor, receiver: Actor, password: Path) -> None:
    stored = expect(
        sender.run("send", "--wait-stored", receiver.name, AWAY_TEXT), r"stored .*seq=(\d+)"
    )
    sign_in(receiver, password)
    missed = receiver.run("sync")
    expect(missed, rf"seq={stored[1]} {sender.name}: {re.escape(AWAY_TEXT)}$")
    expect(missed, rf"last={stored[1]} ")


def show(line: str) -> None:
    # In one piece: a listener's lines come from another thread.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def password_file(cluster: Cluster) -> Path:
    password = homes(cluster) / "password"
    if not password.exists():
        write_private(password, secrets.token_urlsafe(12) + "\n")
    return password


def sign_in_people(cluster: Cluster, say: Callable[[str], None] = show) -> None:
    """Once; their homes know all edges, so that they go elsewhere when one dies."""
    password = password_file(cluster)
    edges = [edge.listen for edge in cluster.edges]
    for name, servers in zip(PEOPLE, (edges, edges[::-1]), strict=True):
        person = Actor(name, servers, homes(cluster), say)
        if not person.tool.home.exists():
            sign_in(person, password)


def play(cluster: Cluster, say: Callable[[str], None] = show) -> None:
    """Raises ClusterError when a line that should be there is not."""
    parent = homes(cluster)
    password = password_file(cluster)
    edges = [edge.listen for edge in cluster.edges]
    ann = Actor(ACTORS[0], [edges[0]], parent, say)
    ben = Actor(ACTORS[1], [edges[-1]], parent, say)
    say("\n-- two people sign in at two edges")
    for actor in (ann, ben):
        sign_in(actor, password)
        # What a demonstration that was interrupted left.
        actor.run("sync")
    say("\n-- a live message, from edge to edge")
    live_message(ann, ben)
    say("\n-- a message to somebody who is away, and what they get when they log in")
    message_to_somebody_away(ann, ben, password)
    say("\n-- and all of it is in the history")
    history = ben.run("history", ann.name)
    for text in (LIVE_TEXT, AWAY_TEXT):
        expect(history, rf"seq=\d+ {ann.name}: {re.escape(text)}$")
    say("")
