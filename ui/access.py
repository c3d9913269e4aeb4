"""Who may use the app from where: password file, rate of attempts, and when TLS is needed."""

import ipaddress
import json
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.errors import ChartmarkError
from core.files import atomic, read_text
from core.store.revisions import ADJUDICATED, IMPORTED, LOCAL

if TYPE_CHECKING:
    import gradio as gr

SHORTEST_PASSWORD = 12
# A person mistypes a few times; a guesser needs millions. Names that don't exist share one limit: each
# try costs a hash, and strangers must not use up the tries of those who are known.
_A_NAME, _STRANGERS = RateLimitItemPerMinute(5), RateLimitItemPerMinute(30)
_HASHER = PasswordHasher()


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(host: str, auth: Path | None, cert: Path | None, key: Path | None) -> None:
    """Raise ChartmarkError unless a host beyond this machine has passwords and TLS."""
    if (cert is None) != (key is None):
        raise ChartmarkError("--cert and --key go together: give both or neither")
    for file in (cert, key):
        if file is not None and not file.is_file():
            raise ChartmarkError(f"no file {file}: give the TLS certificate and its key as PEM files")
    if cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as error:
            raise ChartmarkError(
                f"{cert} and {key} are no TLS certificate and its key (PEM): {error.args[-1]}"
            ) from None
    if is_loopback(host):
        return
    if auth is None:
        raise ChartmarkError(
            f"--host {host} would show notes to the network: add a password file "
            "(--auth FILE, made by `python app.py user add NAME --auth FILE`)"
        )
    if cert is None:
        raise ChartmarkError(
            f"--host {host} would send notes and passwords in clear: add --cert FILE --key FILE"
        )


def user(request: "gr.Request") -> str:
    """Whose work a request is: the name logged in with, or LOCAL where nobody logs in."""
    return request.username or LOCAL


class Passwords:
    """A JSON file of names and argon2 hashes (mode 0600), and a limit on attempts. A change of the file
    holds from the next login on."""

    def __init__(self, path: Path) -> None:
        self._path, self._changed = path, 0
        self._hashes: dict[str, str] = {}
        self._follow()
        if not self._hashes:
            raise ChartmarkError(f"{path} holds no users: `python app.py user add NAME --auth {path}`")
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        # Verified for unknown names, so that they take as long as known ones.
        self._decoy = _HASHER.hash("nobody's")

    def __call__(self, name: str, password: str) -> bool:
        """Whether the password is right; after too many attempts nothing is, for a minute. A file that
        can't be read any more lets nobody in."""
        try:
            self._follow()
        except (OSError, ChartmarkError):
            return False
        known = name in self._hashes
        if not (self._limiter.hit(_A_NAME, name) if known else self._limiter.hit(_STRANGERS)):
            return False
        try:
            _HASHER.verify(self._hashes.get(name, self._decoy), password)
        except (Argon2Error, InvalidHashError):
            return False
        return known

    async def check(self, name: str, password: str) -> bool:
        """The same while others are served: a hash takes long on purpose."""
        return await to_thread.run_sync(self, name, password)

    def _follow(self) -> None:
        changed = self._path.stat().st_mtime_ns if self._path.exists() else 0
        if not changed or changed != self._changed:
            self._hashes, self._changed = _read(self._path), changed


def add_user(path: Path, name: str, password: str) -> None:
    """Add a user or set a new password. Raises ChartmarkError if name or password won't do."""
    name = name.strip()
    if not name or any(not c.isprintable() for c in name):
        raise ChartmarkError("a user's name needs at least one character, and only printable ones")
    if name in (ADJUDICATED, IMPORTED, LOCAL):
        raise ChartmarkError(f"{name!r} has a meaning of its own here; choose another name")
    if len(password) < SHORTEST_PASSWORD:
        raise ChartmarkError(f"the password is too short: use at least {SHORTEST_PASSWORD} characters")
    hashes = _read(path) if path.exists() else {}
    hashes[name] = _HASHER.hash(password)
    with atomic(path) as out:
        json.dump(hashes, out, indent=1)
    os.chmod(path, 0o600)


def _read(path: Path) -> dict[str, str]:
    try:
        hashes = json.loads(read_text(path))
    except json.JSONDecodeError:
        hashes = None
    if not isinstance(hashes, dict) or not all(isinstance(h, str) for h in hashes.values()):
        raise ChartmarkError(f"{path} is not a password file; make one with `python app.py user add`")
    return hashes
