"""What may stand only in its own folder: subjects, SQL, Redis, clocks, chance, exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finding import Finding, lines_matching, literals, without_literals

_SUBJECT = re.compile(r"^im\.|^\$JS\.|^\$KV\.")
_SQL = re.compile(
    r"^\s*(select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(table|index)|"
    r"alter\s+table|copy\s+\w+\s*[(]|lock\s+table|with\s+\w+\s+as\s*[(])",
    re.IGNORECASE,
)
_REDIS = re.compile(
    r"^(SET|SETEX|PSETEX|GET|MGET|DEL|HSET|HGET|HGETALL|HDEL|HEXISTS|SADD|SREM|SMEMBERS|ZADD|ZREM|"
    r"ZRANGE\w*|EXPIRE|PEXPIRE|EXISTS|SCAN|KEYS|EVAL|EVALSHA|MULTI|EXEC|FLUSHALL|FLUSHDB)(\s|$)"
)
_TIME = re.compile(
    r"\w+_clock::now|\bgettimeofday\s*\(|\bclock_gettime\s*\(|\btimespec_get\s*\(|"
    r"(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
)
_CHANCE = re.compile(
    r"(?<![\w.>])(?:std::|::)?s?rand\s*\(|\brandom_device\b|\bmt19937(_64)?\b|\bgetrandom\s*\(|"
    r"\barc4random\w*\s*\(|\bRAND_bytes\s*\(|\brandombytes_\w+\s*\("
)
_THROW = re.compile(r"\bthrow\b")
_ASSERT = re.compile(r"(?<![\w.])assert\s*\(|#\s*include\s*<(cassert|assert\.h)>")
_SLEEP = re.compile(
    r"\bsleep_for\s*\(|\bsleep_until\s*\(|(?<![\w.>])(?:::)?(usleep|nanosleep|sleep)\s*\("
)

_MAY_THROW = ("src/lib/pg/", "src/config/", "src/service/", "src/tools/")


def _inside(path: str, *folders: str) -> bool:
    return path.startswith(folders)


def _check_literals(path: str, source: str) -> Iterator[Finding]:
    for line, text in literals(source):
        if _SUBJECT.search(text) and not _inside(path, "src/bus/", "src/lib/nats/"):
            yield Finding(path, line, f"a subject outside src/bus: {text[:40]}")
        if _SQL.search(text) and not _inside(path, "src/store/"):
            yield Finding(path, line, f"SQL outside src/store: {text.strip()[:40]}")
        if _REDIS.search(text) and not _inside(path, "src/registry/", "src/lib/redis/"):
            if not (text in ("GET", "SET") or _inside(path, "src/store/", "src/lib/pg/")):
                yield Finding(path, line, f"a Redis command outside src/registry: {text[:40]}")


def _check_code(path: str, source: str) -> Iterator[Finding]:
    code = without_literals(source)
    if not _inside(path, "src/base/"):
        for line, text in lines_matching(_TIME, code):
            yield Finding(path, line, f"a clock outside src/base: {text}")
        for line, text in lines_matching(_CHANCE, code):
            yield Finding(path, line, f"randomness outside src/base: {text}")
    for line, _ in lines_matching(_ASSERT, code):
        yield Finding(path, line, "assert: use MARTLET_ASSERT, which is always on")
    if not _inside(path, *_MAY_THROW) and not path.endswith("/main.cc"):
        for line, text in lines_matching(_THROW, code):
            yield Finding(path, line, f"exceptions stay in lib/pg, config and start-up: {text}")


def check(path: str, source: str) -> Iterator[Finding]:
    if not path.endswith((".h", ".cc")):
        return
    if path.startswith("src/"):
        yield from _check_literals(path, source)
        yield from _check_code(path, source)
    elif path.startswith(("tests/unit/", "tests/sim/")):
        for line, text in lines_matching(_SLEEP, without_literals(source)):
            yield Finding(path, line, f"a test waits on a condition, it does not sleep: {text}")
