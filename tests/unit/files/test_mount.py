"""Which file systems tell of changes made elsewhere, by their mounts."""

from pathlib import Path

import pytest

from xlsms.errors import UserError
from xlsms.files.kind import check_writable
from xlsms.files.mount import is_mounted, is_remote, type_at

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /mnt/office rw,relatime shared:5 - cifs //server/office rw,vers=3.0
31 22 0:27 / /mnt/my\\040share rw - nfs4 server:/x rw
32 22 0:28 / /mnt/c rw - 9p drvfs rw
33 22 0:29 / /home/ana/Drive rw - fuse.rclone drive: rw
34 22 0:30 / /media/stick rw - fuseblk /dev/sdb1 rw
35 30 8:2 / /mnt/office/local rw - ext4 /dev/sda2 rw
36 22 0:31 / /srv rw - nfs server:/srv rw
37 22 8:3 / /srv rw - xfs /dev/sda3 rw
a broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind", "remote"),
    [
        ("/home/ana", "ext4", False),
        ("/mnt/office", "cifs", True),
        ("/mnt/office/lists", "cifs", True),
        ("/mnt/officers", "ext4", False),
        ("/mnt/office/local", "ext4", False),
        ("/mnt/my share/lists", "nfs4", True),
        ("/mnt/c/Users", "9p", True),
        ("/home/ana/Drive", "fuse.rclone", True),
        ("/media/stick", "fuseblk", False),
        ("/srv/x", "xfs", False),
    ],
)
def test_the_mount_that_holds_a_folder_says_whether_it_is_on_another_computer(tmp_path, folder, kind, remote):
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert type_at(Path(folder), MOUNTS) == kind
    assert is_remote(Path(folder), tmp_path / "mountinfo") is remote


def test_where_mounts_cannot_be_read_a_folder_is_taken_as_local(tmp_path):
    assert not is_remote(tmp_path, tmp_path / "nothing")


def test_a_file_that_is_mounted_by_itself_is_not_written(tmp_path, monkeypatch):
    """As `mount --bind` and volumes of containers do: its name cannot be given to another file."""
    path, other = tmp_path / "my list.xlsx", tmp_path / "other.xlsx"
    for each in (path, other):
        each.write_bytes(b"PK")
    escaped = str(path.resolve()).replace(" ", r"\040")
    (tmp_path / "mountinfo").write_text(f"{MOUNTS}\n99 1 8:1 /a {escaped} rw - ext4 /dev/sda1 rw\n")
    mounts = tmp_path / "mountinfo"
    assert is_mounted(path, mounts)
    assert not is_mounted(other, mounts)
    assert not is_mounted(path, tmp_path / "nothing")
    (tmp_path / "link.xlsx").symlink_to(path)
    assert is_mounted(tmp_path / "link.xlsx", mounts)
    monkeypatch.setattr("xlsms.files.kind.is_mounted", lambda path: is_mounted(path, mounts))
    check_writable(other)
    with pytest.raises(UserError, match="file-mounted"):
        check_writable(path)
