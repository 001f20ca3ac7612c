"""The add-in's VBA project and other compound files, read by the npm package `cfb`, which is not ours.

Install it once with `npm install --prefix tests/peers/node`.
"""

import base64
import io
import json
import os
import random
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from xlsms.addin.build import addin, modules
from xlsms.addin.compound import compound
from xlsms.addin.ovba import compress

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "cfb").is_dir():
        give_up("the npm package cfb is not here")
    file = tmp_path_factory.mktemp("compound") / "file.bin"

    def run(content):
        file.write_bytes(content)
        done = subprocess.run([node, HERE / "compound.js", file], capture_output=True, check=True)
        return {path: base64.b64decode(data) for path, data in json.loads(done.stdout).items()}

    return run


def test_the_project_is_read_as_it_was_written(read):
    streams = read(zipfile.ZipFile(io.BytesIO(addin())).read("xl/vbaProject.bin"))
    for module in modules():
        assert streams[f"VBA/{module.name}"] == compress(module.text().encode("cp1252"))
    assert set(streams) == {"PROJECT", "PROJECTwm", "VBA/_VBA_PROJECT", "VBA/dir"} | {
        f"VBA/{module.name}" for module in modules()
    }


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_streams_of_every_size_are_read_as_they_were_written(read, count):
    chance = random.Random(count)
    sizes = (1, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097, 20_000)
    streams = {f"S{number:x}": chance.randbytes(chance.choice(sizes)) for number in range(count)}
    found = read(compound({"VBA": streams, "PROJECT": b"ID=1"}))
    assert found == {**{f"VBA/{name}": data for name, data in streams.items()}, "PROJECT": b"ID=1"}
