"""./dev and the commands that need no cluster of ours."""

from __future__ import annotations

import subprocess
import unittest

from support import ROOT, new_directory


def dev(*words: str, cwd: str = "/") -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "dev"), *words]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


class Commands(unittest.TestCase):
    def test_alone_it_lists_every_command_with_a_summary(self) -> None:
        lines = dev().stdout.splitlines()
        self.assertEqual(dev("help").stdout.splitlines(), lines)
        listed = {words[0]: words[1:] for words in map(str.split, lines[2:])}
        for script in (ROOT / "scripts").iterdir():
            if script.is_file() and script.suffix == "":
                self.assertTrue(listed.get(script.name), f"{script.name} is not described")

    def test_unknown_command_is_an_error(self) -> None:
        for word in ("nonsense", "../dev", "lib", "packages.txt"):
            with self.subTest(word=word):
                done = dev(word)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(f"no command '{word}'", done.stderr)

    def test_install_with_nothing_to_do_is_silent(self) -> None:
        done = dev("install")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_commands_without_a_cluster_say_so(self) -> None:
        directory = str(new_directory("commands") / "none")
        for words in (["status"], ["logs"], ["env"], ["restart", "nats"]):
            with self.subTest(words=words):
                done = dev("cluster", "--dir", directory, *words)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"no cluster in {directory}", done.stderr)

    def test_run_gives_a_command_its_servers_and_its_failure_back(self) -> None:
        script = 'echo "$MARTLET_TEST_NATS_URL $MARTLET_TEST_POSTGRES_URL $MARTLET_TEST_REDIS_URL"'
        done = dev("cluster", "run", "--", "sh", "-c", script)
        self.assertRegex(done.stdout, r"nats://\S+ postgresql://\S+ redis://\S+\n")
        self.assertEqual(done.returncode, 0)


class Cluster(unittest.TestCase):
    def test_it_goes_on_without_its_starter_until_another_process_stops_it(self) -> None:
        directory = str(new_directory("detached") / "cluster")
        options = ("cluster", "--dir", directory)
        self.addCleanup(dev, *options, "wipe")
        self.assertEqual(dev(*options, "start", "--servers-only").returncode, 0)
        rows = dev(*options, "psql", "-tAc", "create table kept (n int); select 1").stdout
        self.assertEqual(rows.split()[-1], "1")
        self.assertIn("nats is ready", dev(*options, "restart", "nats").stdout)
        self.assertEqual(dev(*options, "stop").returncode, 0)
        self.assertNotEqual(dev(*options, "psql", "-c", "select 1").returncode, 0)
        self.assertEqual(dev(*options, "start", "--servers-only").returncode, 0)
        self.assertEqual(
            dev(*options, "psql", "-tAc", "select count(*) from kept").stdout.strip(), "0"
        )
