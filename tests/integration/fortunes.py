"""Real text: the sayings, jokes and poems of Debian's packages fortunes and fortunes-zh."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/usr/share/games/fortunes")
CHINESE = ("chinese", "song100", "tang300")
SEPARATOR = "\n%\n"
# A SEND has 64 KiB for its text and some ids.
MOST_BYTES = 63 * 1024


@dataclass(frozen=True)
class Texts:
    """Some of it, and how many texts were left out for their length."""

    chosen: list[str]
    too_long: int

    def describe(self) -> str:
        """How many there are of each sort."""
        sorts = {
            "with Chinese": lambda text: any("\u4e00" <= c <= "\u9fff" for c in text),
            "of several lines": lambda text: "\n" in text,
            "with tabs": lambda text: "\t" in text,
            "with other control characters": lambda text: any(ord(c) < 32 and c not in "\n\t" for c in text),
            "over 4 KiB": lambda text: len(text.encode()) > 4096,
        }
        counts = [f"{sum(map(is_it, self.chosen))} {name}" for name, is_it in sorts.items()]
        sizes = [len(text.encode()) for text in self.chosen]
        return (
            f"{len(self.chosen)} texts, {sum(sizes)} bytes, the longest {max(sizes)}: "
            f"{', '.join(counts)}; {self.too_long} left out as too long"
        )


def records(file: Path) -> list[str]:
    """Byte for byte what stands between the separators."""
    with file.open(encoding="utf-8", newline="") as stream:
        return [record for record in stream.read().split(SEPARATOR) if record]


def choose(count: int, seed: int) -> Texts:
    """As many, in random order: all the Chinese ones, the others by chance."""
    files = sorted(FOLDER.glob("*.u8"))  # how the packages mark what is UTF-8
    chinese = [text for f in files if f.stem in CHINESE for text in records(f)]
    others = [text for f in files if f.stem not in CHINESE for text in records(f)]
    chance = random.Random(seed)
    chance.shuffle(others)
    texts = chinese + others
    good = [text for text in texts if len(text.encode()) <= MOST_BYTES]
    chosen = good[:count]
    assert len(chosen) == count, f"{FOLDER} has only {len(good)} texts"
    chance.shuffle(chosen)
    return Texts(chosen, len(texts) - len(good))
