"""What is mounted where: folders on other computers, whose changes nobody tells, and files mounted by themselves."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_mounted", "is_remote", "type_at"]

#: File systems on which inotify sees only what this computer does. `9p` and `drvfs` are the Windows drives of WSL.
_REMOTE = frozenset(
    [
        "9p",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "drvfs",
        "gfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    ]
)
_LOCAL_FUSE = frozenset({"fuseblk", "fuse.bindfs", "fuse.ntfs", "fuse.ntfs-3g", "fuse.exfat", "fuse-overlayfs"})
_ESCAPE = re.compile(r"\\([0-7]{3})")
_DRIVE_REMOTE = 4  # winbase.h
_MOUNTS = Path("/proc/self/mountinfo")


def is_remote(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether changes in `folder` may go unseen. On macOS it is not known and taken as local."""
    folder = folder.absolute()
    if sys.platform == "win32":
        return _is_remote_windows(folder)
    try:
        kind = type_at(folder, mounts.read_text("utf-8", "surrogateescape"))
    except OSError:
        return False
    return kind in _REMOTE or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)


def is_mounted(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether a file is mounted by itself, as into containers: such a file cannot be replaced. On Linux only."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    real = os.path.realpath(path)
    return any(str(point) == real for point, _ in _mounted(lines))


def type_at(folder: Path, mountinfo: str) -> str:
    """The type of the file system that holds `folder`, by the lines of `/proc/self/mountinfo` (proc(5)); "" if none."""
    found, kind = -1, ""
    for point, here in _mounted(mountinfo):
        # of mounts over each other the last one is seen
        if (point == folder or point in folder.parents) and len(point.parts) >= found:
            found, kind = len(point.parts), here
    return kind


def _mounted(mountinfo: str) -> Iterator[tuple[Path, str]]:
    """Each mount point with the type of its file system."""
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if dash and len(fields) >= 5:  # noqa: PLR2004 - the mount point is the fifth field
            yield Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])), after.split(" ", 1)[0]


def _is_remote_windows(folder: Path) -> bool:
    """A share by its name or by its drive letter. Untried."""
    import ctypes  # noqa: PLC0415 - only there

    if folder.drive.startswith("\\\\"):
        return True
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]  # Windows only
    return bool(kernel.GetDriveTypeW(folder.anchor) == _DRIVE_REMOTE)
