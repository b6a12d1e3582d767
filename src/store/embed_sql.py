#!/usr/bin/env python3
"""Writes the migrations as a C++ table: embed_sql.py OUTPUT NNNN_name.sql ..."""

import pathlib
import re
import sys

# An older version cannot run on the schema after it; what follows is the reason.
BREAKING = re.compile(r"^-- Breaking: \S", re.MULTILINE)


def main() -> int:
    output = pathlib.Path(sys.argv[1])
    sources = sorted((pathlib.Path(name) for name in sys.argv[2:]), key=lambda path: path.name)
    lines = []
    for expected, path in enumerate(sources, start=1):
        number, _, name = path.stem.partition("_")
        if int(number) != expected or not name:
            print(f"{path.name}: migrations are numbered 0001, 0002, ...", file=sys.stderr)
            return 1
        sql = path.read_text()
        breaking = "true" if BREAKING.search(sql) else "false"
        lines.append(f'{{{expected}, "{name}", {breaking}, R"sql({sql})sql"}},')
    output.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
