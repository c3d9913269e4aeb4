"""Reading files that may be broken, and writing them so that nobody ever sees half of one."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import ChartmarkError


@contextmanager
def atomic(path: Path) -> Iterator[IO[str]]:
    """A UTF-8 text file that takes its place at `path` only when the block ends without an error.

    Line ends are written as given. Raises ChartmarkError if the place can't be written.
    """
    if path.exists() and not path.is_file():
        raise ChartmarkError(f"can't write {path}: it is not a plain file; choose another place")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise ChartmarkError(f"can't write {path}: {error.strerror}; choose another place") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ChartmarkError(f"can't write {path}: {error.strerror}; nothing was written") from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading. Raises ChartmarkError with the path and the reason."""
    try:
        return path.open("rb")
    except OSError as error:
        raise ChartmarkError(f"can't read {path}: {error.strerror}") from None


def sha256(path: Path) -> str:
    """A file's SHA-256. Raises ChartmarkError if it can't be read."""
    with open_bytes(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def read_text(path: Path) -> str:
    """A UTF-8 file's text exactly as it is, CRLF kept. Raises ChartmarkError if it is not UTF-8."""
    with open_bytes(path) as file:
        return decode(file.read(), str(path))


def decode(data: bytes, name: str, *, mark: bool = False) -> str:
    """The same for bytes that stand for the file `name`; `mark` keeps a byte order mark."""
    try:
        text = data.decode("utf-8")
        return text if mark else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ChartmarkError(
            f"{name}, line {line}: byte {error.start + 1} of the file is not UTF-8; "
            "save the file as UTF-8"
        ) from None


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1, without their ends (LF or CRLF), one in memory at a time.

    Raises ChartmarkError with file and line where it is not UTF-8.
    """
    with open_bytes(path) as file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise ChartmarkError(
                    f"{path}, line {number}: not UTF-8; save the file as UTF-8"
                ) from None
            yield number, line.removesuffix("\n").removesuffix("\r")
