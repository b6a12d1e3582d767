"""Small file systems for the data of servers: full, or without permission, and well again. They are
mounted where only this process and those that it starts see them, and go when the last of these ends,
however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
MNT_DETACH = 2
BALLAST = "ballast"
PIECES = (bytes(1 << 20), bytes(4096))

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def keep_mounts_private() -> None:
    """Before anything is mounted or started. Who is not root gets the right to mount in a namespace of
    users of its own, where everybody keeps the number that they have."""
    user, group = os.geteuid(), os.getegid()
    spaces = CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER
    _checked(_libc.unshare(spaces), "unshare")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _checked(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount / private")


class SmallDisk:
    """In memory. keep_mounts_private was called before."""

    def __init__(self, directory: Path, size_mib: int) -> None:
        self.directory = directory
        self._modes: dict[Path, int] = {}
        directory.mkdir(parents=True, exist_ok=True)
        options = f"size={size_mib}m,mode=755".encode()
        where = str(directory).encode()
        _checked(_libc.mount(b"tmpfs", where, b"tmpfs", 0, options), "mount")

    @property
    def free_bytes(self) -> int:
        state = os.statvfs(self.directory)
        return state.f_bavail * state.f_frsize

    def fill(self) -> None:
        """Not a byte is left. Who writes at the same moment may get some of the last ones."""
        with (self.directory / BALLAST).open("ab", buffering=0) as ballast:
            for piece in PIECES:
                with contextlib.suppress(OSError):
                    while True:
                        ballast.write(piece)

    def empty(self) -> None:
        """Harmless when it is not full."""
        (self.directory / BALLAST).unlink(missing_ok=True)

    def forbid(self) -> None:
        """Nothing in it can be opened, made or removed any more; for root, who may open everything,
        nothing made or removed."""
        inside = [path for path in self.directory.rglob("*") if path.is_dir()]
        self._modes = {path: path.stat().st_mode & 0o777 for path in (self.directory, *inside)}
        for path in self._modes:
            path.chmod(0)
        self._forbid_root("+i")

    def allow(self) -> None:
        """As it was before; harmless when nothing is forbidden."""
        self._forbid_root("-i")
        for path, mode in self._modes.items():
            path.chmod(mode)
        self._modes = {}

    def _forbid_root(self, how: str) -> None:
        if self._modes and os.geteuid() == 0:
            subprocess.run(["chattr", how, *map(str, self._modes)], check=True)

    def close(self) -> None:
        """Its servers have ended; what still has a file open keeps it alone."""
        _checked(_libc.umount2(str(self.directory).encode(), MNT_DETACH), "umount")
