"""The container: read back by olefile, which tells every defect, and its raw sectors held against the specification."""

import io
import random
import struct

import olefile
import pytest

from xlsms.addin.compound import compound

EDGES = [0, 1, 63, 64, 65, 127, 128, 511, 512, 513, 4032, 4095, 4096, 4097, 4608, 8192, 70_000]
NONE = 0xFFFFFFFF


def flat(storage, above=()):
    for name, held in storage.items():
        if isinstance(held, bytes):
            yield "/".join((*above, name)), held
        else:
            yield from flat(held, (*above, name))


def entries(data):
    """The directory, read sector by sector with nothing but the numbers in the file."""
    (first,) = struct.unpack_from("<I", data, 48)
    fats = struct.unpack_from("<I", data, 44)[0]
    fat = [
        number
        for place in struct.unpack_from("<109I", data, 76)[:fats]
        for number in struct.unpack_from("<128I", data, 512 * (place + 1))
    ]
    raw, sector = b"", first
    while sector != 0xFFFFFFFE:
        raw += data[512 * (sector + 1) : 512 * (sector + 2)]
        sector = fat[sector]
    for at in range(0, len(raw), 128):
        name, size, kind, black, left, right, child = struct.unpack_from("<64sHBBIII", raw, at)
        yield name[: max(0, size - 2)].decode("utf-16-le"), kind, black, left, right, child


def look_at_tree(table, root):
    """Order, colours and balance below one storage; how many names there are. [MS-CFB] 2.6.4."""
    seen = []

    def walk(number, above_is_red):
        if number == NONE:
            return 1
        name, kind, black, left, right, _ = table[number]
        assert kind in (1, 2)
        assert black or not above_is_red, "two red ones in a row"
        heights = walk(left, not black)
        seen.append((len(name.encode("utf-16-le")), name.upper()))
        assert walk(right, not black) == heights, "more black ones on one way than on the other"
        return heights + black

    if root != NONE:
        assert table[root][2], "the root is red"
    walk(root, False)
    assert seen == sorted(set(seen)), "not in order"
    return len(seen)


def look(storage):
    data = compound(storage)
    assert len(data) % 512 == 0
    ole = olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_UNSURE)
    expected = dict(flat(storage))
    assert {"/".join(path): ole.openstream(path).read() for path in ole.listdir()} == expected
    table = list(entries(data))
    count = sum(look_at_tree(table, child) for _, kind, _, _, _, child in table if kind in (1, 5))
    assert count == sum(1 for entry in table if entry[1] in (1, 2))
    return data


def test_sizes_around_the_edges():
    for size in EDGES:
        look({"one": b"x" * size})
        look({"a": b"y" * size, "VBA": {"b": b"z" * size, "c": b""}})


def test_three_hundred_containers():
    chance = random.Random(300)
    for _ in range(300):
        streams = {
            f"{chance.choice(['S', 'Module', 'm', 'Ä'])}{number:x}": chance.randbytes(
                max(0, chance.choice(EDGES[:15]) + chance.randrange(-2, 3))
            )
            for number in range(chance.randrange(1, 60))
        }
        look({"VBA": streams, "PROJECT": b"ID=1", **{f"Z{name}": data for name, data in list(streams.items())[:9]}})


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 15, 16, 31, 100, 150])
def test_every_number_of_names_is_balanced(count):
    look({f"n{number}": bytes([number % 256]) for number in range(count)})


def test_the_largest_and_what_is_too_large():
    assert len(look({"big": bytes(109 * 128 * 512 - 200 * 512)})) < 109 * 128 * 512
    with pytest.raises(ValueError, match="larger"):
        compound({"big": bytes(110 * 128 * 512)})


@pytest.mark.parametrize("names", [["a" * 32], [""], ["a/b"], ["a", "A"]])
def test_names_that_cannot_be(names):
    with pytest.raises(ValueError, match="name"):
        compound(dict.fromkeys(names, b"x"))


def test_the_same_streams_are_the_same_bytes():
    assert compound({"a": b"1", "b": {"c": b"2"}}) == compound({"a": b"1", "b": {"c": b"2"}})
