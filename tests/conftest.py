"""Shared by all tests: the shipped model, the corpora where they are, and a quiet hub."""

from pathlib import Path

import pytest

from core.extraction import hub

hub.settle(allowed=False)

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
