"""Folders, zip and tar archives as names and contents, none of them trusted."""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from core.errors import ChartmarkError

# An archive that would unpack to more is not one of notes. Contents are read one by one from a zip, all
# at once from a tar.
LARGEST = 2 * 1024**3
_LARGEST_MEMBER = 256 * 1024**2


# What Python's readers of archives raise at broken ones: more than they document.
_BROKEN = (
    OSError, EOFError, ValueError, IndexError, RuntimeError, OverflowError, struct.error,
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip


def members(path: Path, *suffixes: str) -> dict[str, Callable[[], bytes]]:
    """The files with these suffixes, by name, in order of name; hidden ones left out.

    Raises ChartmarkError if the archive is broken, encrypted or too large.
    """
    try:
        if path.is_dir():
            found = {str(p): p.read_bytes for p in path.rglob("*") if p.is_file()}
        elif zipfile.is_zipfile(path):
            found = _zip(path)
        else:
            found = _tar(path)
    except _BROKEN as error:
        raise ChartmarkError(f"can't read {path} ({type(error).__name__}); fetch it again") from None
    inside = str(path) + "/" if path.is_dir() else ""
    return {
        name: _checked(read, name)
        for name, read in sorted(found.items())
        if name.lower().endswith(suffixes)
        and not any(
            p[0] == "." or p == "__MACOSX" for p in PurePosixPath(name.removeprefix(inside)).parts
        )
    }


def archive(path: Path) -> bool:
    """Whether the name is that of an archive."""
    return path.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))


def names(path: Path) -> list[str]:
    """The names of the files in a folder or archive; none if it can't be read."""
    try:
        if path.is_dir():
            return [str(p) for p in path.rglob("*") if p.is_file()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as z:
                return z.namelist()
        with tarfile.open(path) as tar:
            return tar.getnames()
    except _BROKEN:
        return []


def _zip(path: Path) -> dict[str, Callable[[], bytes]]:
    with zipfile.ZipFile(path) as z:
        infos = [i for i in z.infolist() if not i.is_dir()]
    _limit(path, [i.file_size for i in infos])

    def read(name: str) -> bytes:
        with zipfile.ZipFile(path) as z:
            return z.read(name)

    return {i.filename: partial(read, i.filename) for i in infos}


def _tar(path: Path) -> dict[str, Callable[[], bytes]]:
    with tarfile.open(path) as tar:
        infos = [m for m in tar.getmembers() if m.isfile()]
        _limit(path, [m.size for m in infos])
        contents = {m.name: f.read() for m in infos if (f := tar.extractfile(m))}
    return {name: partial(bytes, content) for name, content in contents.items()}


def _limit(path: Path, sizes: list[int]) -> None:
    if sum(sizes) > LARGEST or max(sizes, default=0) > _LARGEST_MEMBER:
        raise ChartmarkError(f"{path} would unpack to more than {LARGEST // 1024**3} GiB; split it")


def _checked(read: Callable[[], bytes], name: str) -> Callable[[], bytes]:
    def checked() -> bytes:
        try:
            return read()
        except _BROKEN as error:  # RuntimeError: encrypted
            raise ChartmarkError(
                f"can't read {name} ({type(error).__name__}); fetch it again"
            ) from None

    return checked
