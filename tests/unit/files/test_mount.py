"""Which file systems tell of changes made elsewhere, by their mounts."""

from pathlib import Path

import pytest

from xlsms.files.mount import is_remote, type_at

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
