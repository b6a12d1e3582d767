"""Who may include whom: the levels of src/, and where each third party is wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finding import Finding, without_comments

LEVELS: dict[str, int] = {
    "base": 0,
    "model": 1,
    "metrics": 1,
    "config": 1,
    "event": 2,
    "wire": 2,
    "auth": 2,
    "net": 3,
    "lib/nats": 3,
    "lib/redis": 3,
    "lib/pg": 3,
    "bus": 4,
    "store": 4,
    "registry": 4,
    "service": 4,
    "status": 5,
    "edge": 5,
    "dispatcher": 5,
    "persist": 5,
    "api": 5,
    "client": 5,
    "tools": 6,
}

# Narrower than the level alone.
ALLOWED: dict[str, set[str]] = {
    "model": {"base"},
    "metrics": {"base"},
    "config": {"base"},
    "event": {"base", "model", "metrics"},
    "wire": {"base", "model", "metrics"},
    "auth": {"base", "model", "metrics"},
    "net": {"base", "metrics", "event"},
    "lib/nats": {"base", "metrics", "event", "net"},  # our own client of the protocol
    "lib/redis": {"base", "metrics", "event", "net"},  # names are looked up in net
    "lib/pg": {"base", "metrics", "event"},
}

# The lib folders each belong to one folder; only persist sees store.
ONLY_FOR: dict[str, set[str]] = {
    "lib/nats": {"bus"},
    "lib/redis": {"registry"},
    "lib/pg": {"store"},
    "store": {"persist"},
}

# Headers of third parties and the folders that may know them.
THIRD_PARTIES: list[tuple[re.Pattern[str], set[str]]] = [
    (re.compile(r"nats(/|\.h)"), {"lib/nats"}),
    (re.compile(r"hiredis/"), {"lib/redis"}),
    (re.compile(r"pqxx/|libpq"), {"lib/pg"}),
    (re.compile(r"event2/(?!http|buffer)|event\.h"), {"event", "service"}),
    (re.compile(r"event2/(http|buffer)"), {"event", "net", "service"}),
    (re.compile(r"sodium"), {"auth"}),
    (re.compile(r"openssl/"), {"auth", "net"}),
    (re.compile(r"toml"), {"config"}),
    (re.compile(r"spdlog/(?!fmt)"), {"base"}),
    (re.compile(r"zstd"), {"wire"}),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)


def folder_of(path: str) -> str | None:
    """The module of a path relative to src/."""
    parts = path.split("/")
    if parts[0] == "lib" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else None


def complaint(module: str, target: str) -> str | None:
    """Why a file of the module may not include the target module."""
    if module == target:
        return None
    if target not in LEVELS:
        return None
    if target in ONLY_FOR:
        owners = ONLY_FOR[target]
        return (
            None if module in owners else f"only {', '.join(sorted(owners))} may include {target}"
        )
    if module in ALLOWED:
        allowed = ALLOWED[module]
        return (
            None if target in allowed else f"{module} may include only {', '.join(sorted(allowed))}"
        )
    if LEVELS[target] >= LEVELS[module]:
        return (
            f"{module} (level {LEVELS[module]}) may not include {target} (level {LEVELS[target]})"
        )
    return None


def check(path: str, source: str) -> Iterator[Finding]:
    """Nothing for files outside src/, and for main.cc and tools, which may include anything."""
    if not path.startswith("src/") or not path.endswith((".h", ".cc")):
        return
    module = folder_of(path.removeprefix("src/"))
    if module is None or path.endswith("/main.cc") or LEVELS.get(module) == 6:
        return
    if module not in LEVELS:
        yield Finding(path, 1, f"the folder {module} has no level in tests/lint/layers.py")
        return
    text = without_comments(source)
    for match in _INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        included = match[1]
        target = folder_of(included)
        reason = complaint(module, target) if target else None
        if reason:
            yield Finding(path, line, reason)
        if target in LEVELS:
            continue
        for header, owners in THIRD_PARTIES:
            if header.match(included) and module not in owners:
                yield Finding(path, line, f"{included} belongs into {', '.join(sorted(owners))}")
