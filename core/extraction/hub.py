"""The Hugging Face hub, asked only when the app was started with `--allow-hub`."""

import os
from pathlib import Path

from core.errors import ChartmarkError


def settle(*, allowed: bool) -> None:
    """Decide once, before transformers is imported, whether anything may ask the hub."""
    os.environ["HF_HUB_OFFLINE"] = "0" if allowed else "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def holds(name: str) -> bool:
    """Whether a name may be looked up on the hub: it has a hub id's form, and the hub is allowed."""
    return os.environ.get("HF_HUB_OFFLINE") == "0" and name.count("/") == 1


def fetch(name: str) -> Path:
    """The local copy of a hub repository: configuration, tokenizer and safetensors, no code."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        raise ChartmarkError(f"can't fetch {name!r} from the hub ({type(error).__name__})") from None
