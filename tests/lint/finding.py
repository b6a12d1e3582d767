"""What a rule found, and the text it looks at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


# Comments, raw strings, strings and characters of C++, in the order in which they must be tried.
# A quote between digits is a separator, not a character.
_TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def without_comments(source: str) -> str:
    """Same lines, comments blanked."""
    return _TOKENS.sub(lambda m: _blank(m[0]) if m["comment"] else m[0], source)


def without_literals(source: str) -> str:
    """Same lines, comments and string literals blanked; what #include names stays."""

    def replace(match: re.Match[str]) -> str:
        line_start = source.rfind("\n", 0, match.start()) + 1
        if source[line_start : match.start()].lstrip().startswith("#include"):
            return match[0]
        return _blank(match[0])

    return _TOKENS.sub(replace, source)


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Line number and content of each string literal."""
    for match in _TOKENS.finditer(source):
        if match["string"] or match["raw"]:
            line_start = source.rfind("\n", 0, match.start()) + 1
            if not source[line_start : match.start()].lstrip().startswith("#include"):
                content = match[0].partition("(")[2] if match["raw"] else match[0][1:-1]
                yield source.count("\n", 0, match.start()) + 1, content


def lines_matching(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[0]
