#!/usr/bin/env python3
"""Writes the bytes of a file as a C++ array: embed_bytes.py INPUT OUTPUT NAMESPACE NAME."""
import sys


def main():
    source, target, namespace, name = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    lines = [", ".join(str(byte) for byte in data[i:i + 20]) for i in range(0, len(data), 20)]
    with open(target, "w", encoding="ascii") as file:
        file.write(f"#pragma once\n\nnamespace {namespace} {{\n\n")
        file.write(f"alignas(8) inline constexpr unsigned char {name}[] = {{\n    ")
        file.write(",\n    ".join(lines))
        file.write(f"}};\n\n}}  // namespace {namespace}\n")


main()
