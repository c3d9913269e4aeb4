"""Shared by all tests: the shipped model, the corpora where they are, and a quiet hub."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from core.extraction import hub

hub.settle(allowed=False)
# The same examples on every machine, so that a submission fails for what it changed; others with
# `pytest --hypothesis-profile default`.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora_folder() -> Path:
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not in {CORPORA}")
    return CORPORA


@pytest.fixture(scope="session")
def starter():
    from core.extraction import models

    return models.load("starter")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key
