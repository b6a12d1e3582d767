"""The logs of a cluster stay whenever something of its class went wrong."""

from __future__ import annotations

import io
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, ClassVar

from support import ClusterTest, new_directory


class FakeCluster:
    nats_servers: ClassVar[list[Any]] = []

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "logs").mkdir(exist_ok=True)

    def start(self) -> None: ...

    def stop(self, *, abort: bool) -> None: ...


def class_under_test(directory: Path) -> type[ClusterTest]:
    """Made here, so that the loader does not find it."""

    class OnFakeCluster(ClusterTest):
        setup_fails: ClassVar[bool] = False
        test_fails: ClassVar[bool] = False

        @classmethod
        def make_cluster(cls, _: Path) -> Any:
            return FakeCluster(directory)

        @classmethod
        def setUpClass(cls) -> None:
            super().setUpClass()
            assert not cls.setup_fails

        def test_one(self) -> None:
            with self.subTest("of it"):
                self.assertFalse(self.test_fails)

        def test_two(self) -> None:
            pass

    return OnFakeCluster


class LogsStay(unittest.TestCase):
    def stay_after(self, **what: bool) -> bool:
        directory = new_directory("fake")
        case = class_under_test(directory)
        for name, value in what.items():
            setattr(case, name, value)
        with redirect_stdout(io.StringIO()) as said:
            result = unittest.TestResult()
            unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
        self.assertEqual(result.wasSuccessful(), not any(what.values()))
        stays = directory.exists()
        self.assertEqual(str(directory) in said.getvalue(), stays)
        return stays

    def test_after_a_failed_test(self) -> None:
        self.assertTrue(self.stay_after(test_fails=True))

    def test_after_a_set_up_that_failed_when_the_cluster_was_there(self) -> None:
        self.assertTrue(self.stay_after(setup_fails=True))

    def test_not_when_all_is_well(self) -> None:
        self.assertFalse(self.stay_after())


if __name__ == "__main__":
    unittest.main()
