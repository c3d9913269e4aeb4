"""Serving the app, with the settings that keep notes private (GRADIO.md)."""

import os
import shutil
from pathlib import Path

from core.errors import ChartmarkError
from core.extraction import device, models

CACHE = models.ROOT / ".cache"
LARGEST_UPLOAD = "50mb"


def private_cache(port: int) -> Path:
    """An empty folder that only this user can read; what an earlier start left there is deleted."""
    folder = CACHE / str(port)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise ChartmarkError(f"can't make the private folder {folder}: {error.strerror}") from None
    return folder


def serve(
    host: str, port: int, auth: Path | None, cert: Path | None, key: Path | None, *, hub_allowed: bool
) -> None:
    """Serve until interrupted. `access.check_exposure` has judged host, auth and cert before."""
    cache = private_cache(port)
    # Gradio reads these when it is imported.
    os.environ["GRADIO_TEMP_DIR"] = str(cache)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from ui import page
    from ui.access import Passwords

    problem = device.unusable_gpu()
    if problem:
        print(problem)
    app = page.build(problem)
    try:
        app.launch(
            server_name=host,
            server_port=port,
            auth=Passwords(auth) if auth else None,
            ssl_certfile=str(cert) if cert else None,
            ssl_keyfile=str(key) if key else None,
            ssl_verify=False,  # only for the server's own start-up ping, to a self-signed certificate
            theme=page.THEME,
            css_paths=page.STYLE,
            share=False,
            ssr_mode=False,
            run_history=False,  # it would keep notes in the browser's storage
            enable_monitoring=False,
            footer_links=[],
            show_error=False,
            max_file_size=LARGEST_UPLOAD,
            blocked_paths=[str(p) for p in blocked(auth, key)],
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError:
        raise ChartmarkError(f"port {port} is taken; choose another with --port") from None
    print(f"Chartmark is at {'https' if cert else 'http'}://{host}:{port}", flush=True)
    if hub_allowed:
        print("Models may be fetched from the Hugging Face hub.", flush=True)
    app.block_thread()


def blocked(auth: Path | None, key: Path | None) -> list[Path]:
    """What no download may reach, whatever a handler returns."""
    secrets = [p.resolve() for p in (auth, key) if p]
    database = [models.ROOT / f"annotations.db{end}" for end in ("", "-wal", "-shm")]
    return [models.SHIPPED, models.RUNS, *database, *secrets]
