"""Who may see what: computed from the changes of membership as they stand in the messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from flat_table import root

MEMBERS = 4  # ContentKind, schemas/client.fbs
CREATED, INVITED, JOINED, LEFT, REMOVED, ROLE_SET, DISBANDED = range(1, 8)

Span = tuple[int, int | None]  # the first and last seq that a member may see; None: still there


class Change(NamedTuple):
    action: int
    users: tuple[str, ...] = ()
    history_shown: bool = False


def change_in(content: bytes) -> Change | None:
    """The change of membership that a message is, None if it is another one."""
    outer = root(content)
    if outer.number(0, "<B") != MEMBERS:
        return None
    members = outer.table(5)
    assert members is not None, "a change of membership says which"
    return Change(members.number(0, "<B"), tuple(members.texts(1)), members.number(5, "<B") == 1)


@dataclass
class Group:
    spans: dict[str, list[Span]] = field(default_factory=dict)  # by user
    _history_shown: bool = False

    def apply(self, seq: int, sender: str, change: Change) -> None:
        """In the order of the seqs."""
        if change.action == CREATED:
            self._history_shown = change.history_shown
        for user in self._who_comes(sender, change):
            if not self._is_in(user):
                first = 1 if self._history_shown else seq
                self.spans.setdefault(user, []).append((first, None))
        for user in self._who_goes(sender, change):
            if self._is_in(user):
                self.spans[user][-1] = (self.spans[user][-1][0], seq)

    def may_see(self, user: str, seq: int) -> bool:
        return any(
            first <= seq and (last is None or seq <= last)
            for first, last in self.spans.get(user, [])
        )

    def _is_in(self, user: str) -> bool:
        return user in self.spans and self.spans[user][-1][1] is None

    @staticmethod
    def _who_comes(sender: str, change: Change) -> Iterable[str]:
        if change.action == CREATED:
            return (sender, *change.users)
        if change.action == INVITED:
            return change.users
        return (sender,) if change.action == JOINED else ()

    def _who_goes(self, sender: str, change: Change) -> Iterable[str]:
        if change.action == LEFT:
            return (sender,)
        if change.action == REMOVED:
            return change.users
        return tuple(self.spans) if change.action == DISBANDED else ()
