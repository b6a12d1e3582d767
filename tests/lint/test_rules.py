"""Every rule finds what it is there to find, and lets its neighbour pass."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import content  # noqa: E402
import layers  # noqa: E402
import shape  # noqa: E402
from finding import literals, without_comments, without_literals  # noqa: E402


class Layers(unittest.TestCase):
    def found(self, path: str, include: str) -> int:
        return len(list(layers.check(path, f"#pragma once\n#include {include}\n")))

    def test_levels(self) -> None:
        for path, include, findings in [
            ("src/base/a.h", '"model/ids.h"', 1),
            ("src/base/a.h", "<vector>", 0),
            ("src/model/a.h", '"base/result.h"', 0),
            ("src/model/a.h", '"metrics/metric.h"', 1),
            ("src/wire/a.cc", '"event/loop.h"', 1),
            ("src/wire/a.cc", '"client_generated.h"', 0),
            ("src/net/a.cc", '"event/loop.h"', 0),
            ("src/net/a.cc", '"wire/frame.h"', 1),
            ("src/lib/nats/a.cc", '"event/loop.h"', 0),
            ("src/lib/nats/a.cc", '"lib/pg/connection.h"', 1),
            ("src/bus/a.cc", '"lib/nats/connection.h"', 0),
            ("src/bus/a.cc", '"lib/redis/connection.h"', 1),
            ("src/bus/a.cc", '"edge/edge.h"', 1),
            ("src/bus/a.cc", '"service/shell.h"', 1),
            ("src/edge/a.cc", '"bus/bus.h"', 0),
            ("src/edge/a.cc", '"dispatcher/core.h"', 1),
            ("src/edge/a.cc", '"store/store.h"', 1),
            ("src/edge/a.cc", '"lib/nats/connection.h"', 1),
            ("src/persist/a.cc", '"store/store.h"', 0),
            ("src/persist/main.cc", '"lib/pg/connection.h"', 0),
            ("src/tools/a.cc", '"client/client.h"', 0),
            ("tests/unit/edge/a.cc", '"dispatcher/core.h"', 0),
            ("src/news/a.cc", '"base/result.h"', 1),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.found(path, include), findings)

    def test_third_parties_are_wrapped_once(self) -> None:
        for path, include, findings in [
            ("src/lib/nats/a.cc", "<nats/nats.h>", 0),
            ("src/bus/a.cc", "<nats/nats.h>", 1),
            ("src/registry/a.cc", "<hiredis/hiredis.h>", 1),
            ("src/store/a.cc", "<pqxx/pqxx>", 1),
            ("src/net/a.cc", "<event2/event.h>", 1),
            ("src/event/a.cc", "<event2/event.h>", 0),
            ("src/net/a.cc", "<event2/http.h>", 0),
            ("src/edge/a.cc", "<event2/http.h>", 1),
            ("src/edge/a.cc", "<openssl/evp.h>", 1),
            ("src/edge/a.cc", "<spdlog/spdlog.h>", 1),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.found(path, include), findings)

    def test_comment_is_no_include(self) -> None:
        self.assertEqual(list(layers.check("src/base/a.h", '// #include "edge/edge.h"\n')), [])


class Content(unittest.TestCase):
    def found(self, path: str, source: str) -> int:
        return len(list(content.check(path, source + "\n")))

    def test_places(self) -> None:
        for path, source, findings in [
            ("src/edge/a.cc", 'auto s = "im.u." + user;', 1),
            ("src/bus/a.cc", 'auto s = "im.u." + user;', 0),
            ("src/edge/a.cc", '// "im.u." is built in bus', 0),
            ("src/edge/a.cc", 'auto s = "swim.up";', 0),
            ("src/persist/a.cc", 'run("SELECT 1 FROM x");', 1),
            ("src/persist/a.cc", 'run(R"sql(\n  insert into x values (1))sql");', 1),
            ("src/store/a.cc", 'run("SELECT 1 FROM x");', 0),
            ("src/persist/a.cc", 'log("select a shard first");', 1),
            ("src/persist/a.cc", 'log("a shard was selected");', 0),
            ("src/edge/a.cc", 'redis("HSET sessions a b");', 1),
            ("src/registry/a.cc", 'redis("HSET sessions a b");', 0),
            ("src/edge/a.cc", "auto t = std::chrono::steady_clock::now();", 1),
            ("src/base/a.cc", "auto t = std::chrono::steady_clock::now();", 0),
            ("src/edge/a.cc", "auto t = ::time(nullptr);", 1),
            ("src/edge/a.cc", "auto t = clock.time(0);", 0),
            ("src/edge/a.cc", "clock_gettime(CLOCK_MONOTONIC, &ts);", 1),
            ("src/edge/a.cc", "int r = rand();", 1),
            ("src/edge/a.cc", "std::random_device device;", 1),
            ("src/edge/a.cc", "auto n = operand();", 0),
            ("src/edge/a.cc", "assert(x > 0);", 1),
            ("src/edge/a.cc", "static_assert(x > 0); MARTLET_ASSERT(x);", 0),
            ("src/edge/a.cc", "throw std::runtime_error(text);", 1),
            ("src/config/a.cc", "throw std::runtime_error(text);", 0),
            ("src/edge/main.cc", "throw std::runtime_error(text);", 0),
            ("tests/unit/edge/a.cc", "std::this_thread::sleep_for(1s);", 1),
            ("tests/unit/edge/a.cc", "usleep(100);", 1),
            ("tests/support/a.cc", "usleep(100);", 0),
            ("src/lib/pg/a.cc", 'run("SET TRANSACTION ISOLATION LEVEL READ");', 0),
            ("tests/unit/edge/a.cc", "std::mt19937 random(seed);", 0),
        ]:
            with self.subTest(path=path, source=source):
                self.assertEqual(self.found(path, source), findings)


class Shape(unittest.TestCase):
    def found(self, path: str, source: str) -> int:
        return len(list(shape.check(path, source)))

    def test_long_files(self) -> None:
        self.assertEqual(self.found("src/a/a.cc", "\n" * 500), 1)
        self.assertEqual(self.found("src/a/a.cc", "\n" * 499), 0)
        self.assertEqual(self.found("src/a/a.h", "#pragma once\n" + "\n" * 299), 1)

    def test_long_functions(self) -> None:
        for lines, findings in [(67, 1), (66, 0)]:
            body = "  call();\n" * lines
            source = (
                f"namespace a {{\n\nint f(int x,\n      int y) {{\n{body}}}\n\n}}  // namespace a\n"
            )
            with self.subTest(lines=lines):
                self.assertEqual(self.found("src/a/a.cc", source), findings)

    def test_tables_and_classes_are_not_functions(self) -> None:
        rows = "    {1, 2},\n" * 100
        self.assertEqual(self.found("src/a/a.cc", f"constexpr Row kRows[] = {{\n{rows}}};\n"), 0)
        members = "  int x;\n" * 100
        self.assertEqual(self.found("src/a/a.cc", f"class A {{\n{members}}};\n"), 0)

    def test_test_bodies_are_functions(self) -> None:
        body = "  call();\n" * 70
        self.assertEqual(self.found("tests/a.cc", f"TEST(A, B) {{\n{body}}}\n"), 1)

    def test_words(self) -> None:
        for source, findings in [
            ("// TODO: later\n", 1),
            ("# FIXME\n", 1),
            ("a todo list\n", 0),
            ("see /work/x\n", 1),
            ('path = "/root/x"\n', 1),
            ("open(/tmp/x)\n", 1),
            ("homework/tmp/x\n", 0),
            ("http://deb.debian.org/debian\n", 1),
            ("Debian's packages\n", 0),
        ]:
            with self.subTest(source=source):
                self.assertEqual(self.found("scripts/a.py", source), findings)

    def test_example_in_a_page_may_use_the_scratch_folder(self) -> None:
        self.assertEqual(self.found("docs/a.md", "martlet --home /tmp/ann\n"), 0)
        self.assertEqual(self.found("docs/a.md", "martlet --home /root/ann\n"), 1)

    def test_folders_and_headers(self) -> None:
        self.assertEqual(self.found("src/util/a.cc", ""), 1)
        self.assertEqual(self.found("src/common/a.cc", ""), 1)
        self.assertEqual(self.found("src/a/a.h", "int x;\n"), 1)


class Text(unittest.TestCase):
    def test_comments_and_literals_are_told_apart(self) -> None:
        source = 'f("a // b", \'"\', 1\'000); /* "c" */ g(R"(d " e)"); // "h"\n'
        self.assertEqual([text for _, text in literals(source)][0], "a // b")
        self.assertNotIn('"c"', without_comments(source))
        self.assertIn('"a // b"', without_comments(source))
        self.assertIn("1'000", without_literals(source))
        self.assertNotIn("e", without_literals(source).replace("g(R", ""))
