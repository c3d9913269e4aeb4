"""A model that is missing, changed or broken is a sentence, never a traceback or a silent guess."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from core.errors import ChartmarkError
from core.extraction import MODEL_FILE, device, model_folder, models
from core.files import sha256

CPU = torch.device("cpu")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(models.SHIPPED / "starter", tmp_path / "model"))


def change(folder: Path, **values: object) -> None:
    path = folder / MODEL_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("name", model_folder.FILES)
def test_one_changed_bit_is_refused(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ChartmarkError, match=f"{name} is not the file"):
        model_folder.load(copy, CPU)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64])
def test_a_corrupt_adapter_with_a_right_sum_is_refused(copy: Path, content: bytes) -> None:
    path = copy / model_folder.ADAPTER
    path.write_bytes(content)
    files = model_folder.read_config(copy).files | {path.name: sha256(path)}
    change(copy, files=files)
    with pytest.raises(ChartmarkError, match="can't be loaded"):
        model_folder.load(copy, CPU)


def test_another_backbone_is_refused(copy: Path) -> None:
    change(copy, backbone_files={"model.safetensors": "0" * 64})
    with pytest.raises(ChartmarkError, match=r"model\.safetensors is not the file"):
        model_folder.load(copy, CPU)


def test_a_backbone_that_is_not_installed_says_so(copy: Path) -> None:
    change(copy, backbone="package:no_such_package/model")
    with pytest.raises(ChartmarkError, match="'no_such_package' is not installed"):
        model_folder.load(copy, CPU)


@pytest.mark.parametrize("values", [{"format": 2}, {"window": "wide"}, {"labels": {}}, {"new": 1}])
def test_a_config_that_we_do_not_know_names_its_field(copy: Path, values: dict) -> None:
    change(copy, **values)
    with pytest.raises(ChartmarkError, match=rf"model\.json: {next(iter(values))}"):
        model_folder.load(copy, CPU)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / model_folder.HEADS).unlink()
    with pytest.raises(ChartmarkError, match=r"lacks heads\.safetensors"):
        model_folder.load(copy, CPU)


def test_the_weights_that_ship_are_small_and_safe() -> None:
    folder = models.SHIPPED / "starter"
    assert sum(p.stat().st_size for p in folder.iterdir()) < 16 * 2**20
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors", ".md"}


def test_an_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(ChartmarkError, match=r"no model 'nope'.*starter"):
        models.folder("nope")


@pytest.mark.parametrize("words", ["Mr. Secret has HIV. " * 20, "a\nb", "", None, "~nobody/x", "../.."])
def test_what_is_no_id_is_refused_without_being_repeated(words: str | None) -> None:
    with pytest.raises(ChartmarkError) as caught:
        models.folder(words)
    assert "Secret" not in str(caught.value)


def test_a_folder_is_a_model_too(copy: Path) -> None:
    assert models.folder(str(copy)) == copy


def test_the_shelf_keeps_one_model_and_sees_changes(copy: Path) -> None:
    shelf = models.Shelf()
    first = shelf.take("starter")
    assert shelf.take("starter") is first
    other = shelf.take(str(copy))
    assert other is not first
    change(copy)
    assert shelf.take(str(copy)) is not other


def test_a_gpu_that_torch_cannot_use_is_named(tmp_path: Path) -> None:
    driver = tmp_path / "version"
    assert device.unusable_gpu(driver) is None
    driver.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13\n")
    if not torch.cuda.is_available():
        assert "470.57.02" in (device.unusable_gpu(driver) or "")
