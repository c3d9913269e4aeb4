"""The app over HTTP: extraction, downloads, and the settings that keep notes private."""

import io
import json
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import gradio as gr
import httpx
import pytest
from gradio_client import Client

from core.errors import ChartmarkError
from core.store.connection import Store
from tests.conftest import ROOT
from tests.serving import served
from ui import page
from ui.access import add_user

NOTE = "Denies fever. She was treated with ceftriaxone for pneumonia. Secretname."


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[tuple[str, int]]:
    with served(log=log) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: tuple[str, int], tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(server[0], download_files=str(tmp_path_factory.mktemp("got")), verbose=False)


def extract(client: Client, text: str, model: str = "starter", threshold: float | None = None):
    """What the Extract button gives: summary, marked, arcs, mentions, relations, JSON, brat."""
    return client.predict(text, model, threshold is None, threshold or 0.5, api_name="/extract")


def get(url: str) -> int:
    try:
        return urllib.request.urlopen(url, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_note_comes_back_marked(client: Client) -> None:
    summary, marked, arcs, mentions, relations, _, _ = extract(client, NOTE)
    assert "by starter on the" in summary
    assert "<mark" in marked
    assert "<svg" in arcs
    rows = {row[1]: row for row in mentions["data"]}
    assert NOTE[int(rows["pneumonia"][5]) : int(rows["pneumonia"][6])] == "pneumonia"
    assert [row[1] for row in relations["data"]] == ["treats"]


def test_a_request_while_torch_is_imported_is_taken_at_once(tmp_path: Path) -> None:
    """It was held until then: clients, which wait for 5 s, gave up on a busy machine."""
    ready = Event()
    app = page.build(Store(tmp_path / "annotations.db"), None, ready)
    _, address, _ = app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        call, data = f"{address}gradio_api/call/extract", {"data": ["", "starter", True, 0.5]}
        held, event = (httpx.post(call, json=data, timeout=2).json()["event_id"] for _ in range(2))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{call}/{held}", timeout=1)
        ready.set()
        assert "There is nothing to read yet" in httpx.get(f"{call}/{event}", timeout=20).text
    finally:
        app.close()


def test_a_fault_of_ours_tells_where_it_is_and_no_word_of_a_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with page.Page() as app:
        app.ready = Event()
        app.ready.set()

        def read(what: str) -> str:
            if what == "known":
                raise ChartmarkError("choose <another> file")
            raise ValueError(NOTE)

        gr.api(read, api_name="read")
    _, address, _ = app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        call = f"{address}gradio_api/call/read"

        def told(what: str) -> str:
            event = httpx.post(call, json={"data": [what]}).json()["event_id"]
            return httpx.get(f"{call}/{event}", timeout=20).text

        assert "choose &lt;another&gt; file" in told("known")
        assert "Chartmark failed (ValueError in read, test_server.py" in told("other")
    finally:
        app.close()
    out = capsys.readouterr()
    assert "ValueError in read" in out.err
    assert "Secretname" not in out.out + out.err


def test_downloads_hold_what_the_page_shows(client: Client) -> None:
    *_, mentions, _, as_json, as_brat = extract(client, NOTE)
    document = json.loads(Path(as_json).read_text())
    assert document["text"] == NOTE
    assert len(document["entities"]) == len(mentions["data"])
    archive = zipfile.ZipFile(io.BytesIO(Path(as_brat).read_bytes()))
    assert archive.read("note.txt").decode() == NOTE
    assert archive.read("note.ann").decode().count("\nR") == len(document["relations"])


@pytest.mark.parametrize(
    ("text", "model", "message"),
    [
        ("", "starter", "There is nothing to read yet"),
        (" \n\t", "starter", "There is nothing to read yet"),
        (NOTE, "nope", "no model &#x27;nope&#x27;"),
        (NOTE, "../..", "no model"),
        (NOTE, "a\x00b", "no model chosen"),
        (NOTE, "someone/model", "no model"),
    ],
    ids=["empty", "white space", "unknown", "no model there", "nul", "hub not allowed"],
)
def test_a_problem_is_a_sentence_and_the_app_goes_on(
    client: Client, text: str, model: str, message: str
) -> None:
    summary, marked, *_ = extract(client, text, model)
    assert message in summary
    assert not marked
    assert "<mark" in extract(client, NOTE)[1]


def test_a_threshold_replaces_the_models_own(client: Client) -> None:
    many, none = (len(extract(client, NOTE, threshold=t)[3]["data"]) for t in (0.05, 1.0))
    assert many > none == 0


def test_nothing_private_can_be_downloaded(server: tuple[str, int]) -> None:
    for name in (
        "models/starter/heads.safetensors",
        "app.py",
        "requirements.txt",
        "../shared/DESIGN.md",
    ):
        for path in (ROOT / name, name):
            assert get(f"{server[0]}/gradio_api/file={path}") in (403, 404)


def test_the_cache_is_private(server: tuple[str, int], client: Client) -> None:
    extract(client, NOTE)
    cache = ROOT / ".cache" / str(server[1])
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert any(cache.rglob("note.json"))


def test_settings_that_keep_notes_private_are_in_force(server: tuple[str, int]) -> None:
    config = json.loads(urllib.request.urlopen(f"{server[0]}/config").read())
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []
    assert config["run_history"] is False
    assert config["show_error"] is False
    assert config["max_file_size"] == 50 * 2**20
    page = urllib.request.urlopen(server[0]).read().decode()
    assert "fonts.googleapis" not in page


def test_no_clinical_text_reaches_the_log(client: Client, log: Path) -> None:
    extract(client, NOTE)
    extract(client, NOTE, "nope")
    assert "Secretname" not in log.read_text()


@pytest.mark.parametrize(
    ("text", "model"),
    [("fever \ud83d cough Secretname", "starter"), (NOTE, "Secretname has HIV. " * 20), (NOTE, None)],
    ids=["half a surrogate pair", "a note as the model", "no model"],
)
def test_odd_values_over_the_api_show_and_log_no_text(
    server: tuple[str, int], log: Path, text: str, model: str | None
) -> None:
    body = json.dumps({"data": [text, model, True, 0.5]}).encode()
    post = urllib.request.Request(
        f"{server[0]}/gradio_api/call/extract", body, {"Content-Type": "application/json"}
    )
    event = json.loads(urllib.request.urlopen(post).read())["event_id"]
    answer = urllib.request.urlopen(f"{server[0]}/gradio_api/call/extract/{event}").read().decode()
    assert "Secretname" not in answer
    assert "Secretname" not in log.read_text()


def test_a_text_that_is_too_long_is_refused_whole(client: Client) -> None:
    summary, marked, *_ = extract(client, "fever " * 200_000)
    assert "1,200,000 characters" in summary
    assert not marked


def test_nothing_of_an_earlier_server_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ui import server as module

    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    killed = tmp_path / "cache" / "9999"
    killed.mkdir(parents=True)
    (killed / "note.json").write_text("a note")
    converted = tmp_path / "cache" / "backbones-2"  # of `core.extraction.gguf`
    converted.mkdir()
    with module.private_cache(1) as folder:
        assert list(folder.iterdir()) == []
        assert not killed.exists()
        assert converted.exists()
        (folder / "note.json").write_text("a note")
        with module.private_cache(2):
            assert (folder / "note.json").exists()  # a running server's is its own
        with pytest.raises(ChartmarkError, match="runs on port 1 already"), module.private_cache(1):
            pass
    assert not folder.exists()


def test_a_port_that_is_taken_is_one_line(server: tuple[str, int]) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--port", str(server[1])],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        f"app.py: can't listen on 127.0.0.1:{server[1]} (Address already in use); "
        "choose another --port\n"
    )


def test_the_app_starts_before_torch_is_there() -> None:
    """Which takes longer to import than all the rest."""
    code = "import sys; from ui import page; sys.exit(str({'torch', 'spacy'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "set()"


def test_a_login_is_needed_over_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    users, (cert, key) = tmp_path / "users.json", certificate
    add_user(users, "ann", "correct horse battery")
    options = ["--host", "0.0.0.0", "--auth", str(users), "--cert", str(cert), "--key", str(key)]
    trusting = ssl.create_default_context(cafile=cert)
    trusting.check_hostname = False

    def status(path: str, data: bytes | None = None) -> int:
        try:
            return urllib.request.urlopen(url + path, data, 10, context=trusting).status
        except urllib.error.HTTPError as error:
            return error.code

    with served(*options, log=tmp_path / "log") as (url, _):
        assert status("/config") == 401
        assert status("/login", b"username=ann&password=wrong") == 400
        assert status("/login", b"username=ann&password=correct+horse+battery") == 200
