"""Broken and hostile packages never crash, hang, change the file, or take more than 256 MiB."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.ooxml.fuzz_child import HOSTILE

CHILD = Path(__file__).with_name("fuzz_child.py")
ROOT = CHILD.parents[3]
ROUNDS = int(os.environ.get("XLSMS_FUZZ_ROUNDS", "1500"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


def child(folder, seed, rounds):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "service")])}
    return subprocess.run(
        [sys.executable, CHILD, folder, str(seed), str(rounds)],
        check=False, capture_output=True, text=True, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_package_within_256_mib(tmp_path, name):
    ended = child(tmp_path, list(HOSTILE).index(name), 1)
    assert ended.returncode == 0, (ended.returncode, ended.stderr[-2000:])


def test_broken_packages_within_256_mib(tmp_path):
    ended = child(tmp_path, len(HOSTILE), ROUNDS)
    assert ended.returncode == 0, (ended.returncode, ended.stdout[-60:], ended.stderr[-2000:])
