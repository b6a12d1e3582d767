"""Sizes, names and words of every tracked file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from finding import Finding, without_literals

MAX_LINES = {".cc": 500, ".h": 300, ".py": 500}
MAX_FUNCTION_LINES = 70
BAD_FOLDERS = {"util", "utils", "common", "helpers", "misc"}

# Written in pieces, so that this file passes its own rules.
_UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + r"XX)\b")
_MACHINE_PATH = re.compile(
    r"""(?:^|[\s"'`(=:<>])(/(?:wo""" + "rk|ro" + "ot|t" + r"""mp|home)/)""", re.M
)
_REGISTRY_HOST = re.compile(
    r"deb\.debian" + r"\.org|security\.debian" + r"\.org|registry\.npm" + "js|py" + r"pi\.org|"
    r"pythonhosted" + r"\.org|crates" + r"\.io|proxy\.golang" + r"\.org|repo1?\.maven",
    re.IGNORECASE,
)
# Opens a function at namespace level: starts in the first column and is not one of these.
_NOT_A_FUNCTION = re.compile(
    r"^(namespace|class|struct|enum|union|extern|using|typedef|static_assert|#|\}|//|/\*|public|private)"
)
_TEXT_FILES = (".h", ".cc", ".py", ".md", ".build", ".txt", ".fbs", ".sql", ".sh", ".yaml", ".yml")


def functions(source: str) -> Iterator[tuple[int, int]]:
    """First line and length of each function at namespace level, as clang-format lays them out: the
    signature starts in the first column, the body ends with a lone brace there."""
    start: int | None = None
    in_body = False
    for number, line in enumerate(without_literals(source).split("\n"), 1):
        if start is not None and in_body and line.startswith("}"):
            yield start, number - start + 1
            start, in_body = None, False
        elif start is None and line[:1].strip() and not _NOT_A_FUNCTION.match(line):
            start = number
        if start is not None and not in_body:
            if line.rstrip().endswith("{"):
                in_body = "=" not in line or "(" in line
                start = start if in_body else None
            elif line.rstrip().endswith((";", "}")):
                start = None


def _check_sizes(path: str, source: str) -> Iterator[Finding]:
    lines = source.count("\n")
    for suffix, most in MAX_LINES.items():
        if path.endswith(suffix) and lines >= most:
            yield Finding(path, lines, f"{lines} lines, {suffix} files stay under {most}")
    if path.endswith((".h", ".cc")):
        for start, length in functions(source):
            if length >= MAX_FUNCTION_LINES:
                yield Finding(
                    path, start, f"a function of {length} lines, under {MAX_FUNCTION_LINES} please"
                )


def _check_words(path: str, source: str) -> Iterator[Finding]:
    # Test snippets of the rules themselves.
    if path == "tests/lint/test_rules.py":
        return
    for number, line in enumerate(source.split("\n"), 1):
        if _UNFINISHED.search(line):
            yield Finding(path, number, f"unfinished: {line.strip()[:60]}")
        machine = _MACHINE_PATH.search(line)
        # An example in a page may keep its files in the machine's scratch folder.
        if machine and not (path.endswith(".md") and machine[1].startswith("/t")):
            yield Finding(path, number, f"a path of one machine: {machine[1]}")
        if _REGISTRY_HOST.search(line):
            yield Finding(path, number, "names a package registry's host")


def check(path: str, source: str) -> Iterator[Finding]:
    bad = BAD_FOLDERS.intersection(path.split("/")[:-1])
    if bad and not path.startswith("subprojects/"):
        yield Finding(path, 1, f"a folder is named after what is in it, not {', '.join(bad)}")
    yield from _check_sizes(path, source)
    if path.endswith(_TEXT_FILES) or "." not in path.split("/")[-1]:
        yield from _check_words(path, source)
    if path.endswith(".h") and "#pragma once" not in source:
        yield Finding(path, 1, "a header begins with #pragma once")
