"""Limits of this process that its children inherit."""

from __future__ import annotations

import resource


def raise_open_files() -> None:
    """Edges hold a descriptor per client; the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 1 << 20
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
