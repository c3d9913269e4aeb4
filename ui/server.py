"""Serving the app, with the settings that keep notes private (GRADIO.md)."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

from filelock import FileLock, Timeout

from core import jobs
from core.errors import ChartmarkError
from core.extraction import device, models
from core.store.connection import Store

CACHE = models.ROOT / ".cache"
LARGEST_UPLOAD = "50mb"


@contextmanager
def private_cache(port: int) -> Iterator[Path]:
    """An empty folder that only this user can read, deleted at the end.

    What servers that were killed left behind is deleted too; those still running hold a lock.
    """
    try:
        CACHE.mkdir(mode=0o700, exist_ok=True)
        # By their ports: converted backbones are kept beside them.
        for left in (p for p in CACHE.iterdir() if p.is_dir() and p.name.isdecimal()):
            with suppress(Timeout), FileLock(f"{left}.lock", timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        folder = CACHE / str(port)
        with FileLock(f"{folder}.lock", timeout=0):
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except Timeout:
        raise ChartmarkError(f"Chartmark runs on port {port} already; choose another --port") from None
    except OSError as error:
        raise ChartmarkError(f"can't use the private folder {CACHE}: {error.strerror}") from None


def check_address(host: str, port: int) -> None:
    """Raise ChartmarkError, with the system's reason, if nothing can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "not a port"
        raise ChartmarkError(
            f"can't listen on {host}:{port} ({reason}); choose another --port"
        ) from None


def serve(
    host: str,
    port: int,
    db: Path,
    auth: Path | None,
    cert: Path | None,
    key: Path | None,
    *,
    hub_allowed: bool,
) -> None:
    """Serve until interrupted. `access.check_exposure` has judged host, auth and cert before."""
    check_address(host, port)
    with private_cache(port) as cache:
        # Gradio reads these when it is imported.
        os.environ["GRADIO_TEMP_DIR"] = str(cache)
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        from ui import page
        from ui.access import Passwords

        problem = device.unusable_gpu()
        if problem:
            print(problem)
        store, ready = Store(db), Event()
        app = page.build(store, problem, ready)
        app.launch(
            server_name=host,
            server_port=port,
            auth=Passwords(auth).check if auth else None,
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
            blocked_paths=[str(p) for p in blocked(db, auth, key)],
            quiet=True,
            prevent_thread_lock=True,
        )
        # torch takes seconds to import: do so while the first user's page loads.
        Thread(target=_warm, args=[ready], daemon=True).start()
        print(f"Chartmark is at {'https' if cert else 'http'}://{host}:{port}", flush=True)
        if hub_allowed:
            print("Models may be fetched from the Hugging Face hub.", flush=True)
        app.block_thread()


def _warm(ready: Event) -> None:
    try:
        for module in ("core.extraction.model_folder", "training.plan", "spacy.displacy"):
            import_module(module)
    finally:
        ready.set()


def blocked(db: Path, auth: Path | None, key: Path | None) -> list[Path]:
    """What no download may reach, whatever a handler returns."""
    secrets = [p.resolve() for p in (auth, key) if p]
    database = [Path(f"{db.resolve()}{end}") for end in ("", "-wal", "-shm", ".lock")]
    return [models.SHIPPED, models.RUNS, jobs.home(db.resolve()), *database, *secrets]
