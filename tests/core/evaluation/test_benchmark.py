"""Benchmarks: what fits a model's labels is scored, the rest says why not."""

from pathlib import Path

from core.evaluation import benchmark
from core.evaluation.benchmark import Benchmark, Row, benchmarks
from core.formats.mapping import corpora

SENTENCES = Path(__file__).parents[2] / "data" / "clinical_sentences.jsonl"


def test_every_benchmark_names_a_split_that_a_map_gives() -> None:
    for b in benchmarks():
        name, _, split = b.data.partition("/")
        assert split in corpora()[name].splits


def test_what_a_model_cannot_be_scored_on_says_why(tmp_path: Path) -> None:
    rows = list(benchmark.run("starter", tmp_path, tmp_path / "no.db", [], lambda *_: None))
    why = {r.benchmark.data: r.skipped for r in rows}
    assert all(r.report is None for r in rows)
    assert why["bc5cdr/dev"] == f"is not in {tmp_path}"
    assert why["biored_own/dev"] == "has the labels of biored, the model those of clinical"


def test_a_file_is_scored_beside_the_corpora(tmp_path: Path) -> None:
    one = Benchmark(data=str(SENTENCES), evaluates="38 sentences")
    rows = list(benchmark.run("starter", tmp_path, tmp_path / "no.db", [one], lambda *_: None))
    assert rows[-1].report is not None
    table = benchmark.markdown("starter", rows, "COMMAND")
    assert f"| {SENTENCES.stem} | 38 (0) | 0." in table
    assert "Not scored: is not in" in table


def test_a_table_without_any_score_still_says_what_was_wanted() -> None:
    table = benchmark.markdown("m", [Row(benchmarks()[0], None, "is not here")], "COMMAND")
    for expected in ("**bc5cdr/dev**", "BioBERT", "is not here"):
        assert expected in table
