"""Nobody beyond this machine without a password and TLS; guessing is slow."""

import asyncio
import json
import stat
from pathlib import Path

import pytest

from core.errors import ChartmarkError
from ui.access import Passwords, add_user, check_exposure

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users.json"
    add_user(path, "ann", PASSWORD)
    return path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    check_exposure(host, None, None, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.evil.org"])
def test_another_host_needs_a_password(host: str) -> None:
    with pytest.raises(ChartmarkError, match="add a password file"):
        check_exposure(host, None, None, None)


def test_another_host_needs_tls(file: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    with pytest.raises(ChartmarkError, match="in clear: add --cert"):
        check_exposure("0.0.0.0", file, None, None)
    with pytest.raises(ChartmarkError, match="go together"):
        check_exposure("0.0.0.0", file, cert, None)
    with pytest.raises(ChartmarkError, match=r"no file .*none\.pem"):
        check_exposure("0.0.0.0", file, cert, file.with_name("none.pem"))
    with pytest.raises(ChartmarkError, match="no TLS certificate and its key"):
        check_exposure("0.0.0.0", file, file, file)
    check_exposure("0.0.0.0", file, cert, key)


def test_only_the_right_password_opens(file: Path) -> None:
    users = Passwords(file)
    assert users("ann", PASSWORD)
    assert not users("ann", PASSWORD + "!")
    assert not users("bob", PASSWORD)
    assert not users("bob", "nobody's")


def test_a_change_of_the_file_holds_at_once(file: Path) -> None:
    users = Passwords(file)
    assert asyncio.run(users.check("ann", PASSWORD))
    add_user(file, "bob", PASSWORD)
    assert users("bob", PASSWORD)
    hashes = json.loads(file.read_text())
    file.write_text(json.dumps({"bob": hashes["bob"]}))
    assert not users("ann", PASSWORD)
    file.write_text("damaged")
    assert not users("bob", PASSWORD)
    file.unlink()
    assert not users("bob", PASSWORD)


def test_the_file_holds_no_password_and_is_private(file: Path) -> None:
    assert PASSWORD not in file.read_text()
    assert json.loads(file.read_text())["ann"].startswith("$argon2id$")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_guessing_is_cut_off_for_right_and_wrong_alike(file: Path) -> None:
    users = Passwords(file)
    for n in range(5):
        assert not users("ann", f"guess {n} of many")
    assert not users("ann", PASSWORD)


def test_strangers_use_up_nobodys_tries(file: Path) -> None:
    users = Passwords(file)
    for n in range(40):
        assert not users(f"name{n}", "a guess of mine")
    assert users("ann", PASSWORD)


def test_blanks_around_a_name_are_not_part_of_it(file: Path) -> None:
    add_user(file, " bob ", PASSWORD)
    assert Passwords(file)("bob", PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [("", PASSWORD, "a user's name"), ("a\nb", PASSWORD, "printable"), ("ann", "short", "at least 12")],
)
def test_poor_names_and_passwords_are_refused(
    file: Path, name: str, password: str, message: str
) -> None:
    before = file.read_text()
    with pytest.raises(ChartmarkError, match=message):
        add_user(file, name, password)
    assert file.read_text() == before


@pytest.mark.parametrize("content", ["", "[]", '{"ann": 7}', "{}"])
def test_a_broken_password_file_opens_to_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(content)
    with pytest.raises(ChartmarkError, match=r"not a password file|holds no users"):
        Passwords(path)
