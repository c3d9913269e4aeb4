"""Chartmark: clinical entities and relations, from text to gold to a better model.

`python app.py` serves the app; the sub-commands do the same work without a browser.
"""

import argparse
import logging
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from core.errors import ChartmarkError, place
from core.extraction import hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from core.document import Document

# Each command imports what it needs when it runs: torch and gradio take seconds, `--help` should not.


def serve(args: argparse.Namespace) -> None:
    from ui import access, server

    access.check_exposure(args.host, args.auth, args.cert, args.key)
    server.serve(
        args.host, args.port, args.db, args.auth, args.cert, args.key, hub_allowed=args.allow_hub
    )


def extract(args: argparse.Namespace) -> None:
    from core.extraction import batch, models

    batch.check(args.input, args.output)
    extractor = models.load(args.model)
    count, unfinished = batch.extract_file(args.input, args.output, extractor, args.threshold)
    print(f"{count} notes read, written to {args.output}", file=sys.stderr)
    if unfinished:
        print(f"{unfinished} of them not to the end: see meta.unfinished", file=sys.stderr)


def load(args: argparse.Namespace) -> None:
    from core import importing
    from core.formats import mapping
    from core.store.connection import Store
    from core.store.revisions import LOCAL

    labels = mapping.load(args.map) if args.map else None
    store = Store(args.db)
    report = importing.load(
        store,
        args.path,
        args.format,
        labels,
        args.split,
        LOCAL,
        dry_run=args.dry_run,
        progress=progress,
    )
    for line in report.lines():
        print(line)
    if args.dry_run:
        print("a dry run: nothing was stored")


def save(args: argparse.Namespace) -> None:
    from core import importing
    from core.store import revisions
    from core.store.connection import existing

    written = 0

    def counted() -> "Iterator[Document]":
        nonlocal written
        for d in revisions.gold(existing(args.db), args.split, corrected=args.corrected):
            written += 1
            yield d

    dropped = importing.save(counted(), args.path, args.format, progress=progress)
    print(f"{written} documents with gold labels written to {args.path}")
    for line in importing.told(dropped):
        print(line)


def schema(args: argparse.Namespace) -> None:
    from core.schema import Schema
    from core.store.connection import Store
    from core.store.revisions import LOCAL

    store = Store(args.db)
    if args.file:
        store.set_schema(Schema.load(args.file), LOCAL)
        for kind, count in store.outside_schema().items():
            print(f"the store has {count} labels of the type {kind}, which this schema lacks")
    print(f"{store.schema.name}: {', '.join(store.schema.entity_names)}")
    print(f"relations: {', '.join(store.schema.relation_names) or 'none'}")


def back_up(args: argparse.Namespace) -> None:
    from core.store import backup
    from core.store.connection import existing

    backup.back_up(existing(args.db), args.file)
    print(f"backed up to {args.file}", file=sys.stderr)


def restore(args: argparse.Namespace) -> None:
    from core.store import backup
    from core.store.connection import Store
    from core.store.revisions import LOCAL

    before = backup.restore(Store(args.db), args.file, LOCAL)
    print(f"restored; what was there until now is in {before}", file=sys.stderr)


def purge(args: argparse.Namespace) -> None:
    from core.store import backup
    from core.store.connection import existing
    from core.store.revisions import LOCAL
    from training import dataset

    models, left = backup.purge(existing(args.db), args.document, LOCAL, backups=args.backups)
    dataset.clear()
    print("purged; nothing of it is left in the database", file=sys.stderr)
    for model in models:
        print(f"a model was trained on it: {model}")
    for path in left:
        print(f"a backup still holds it: {path} (--backups reaches those too)")


def progress(documents: "Iterable[Document]", what: str) -> "Iterable[Document]":
    from tqdm import tqdm

    return tqdm(documents, what, unit=" documents", disable=not sys.stderr.isatty())


def generate(args: argparse.Namespace) -> None:
    from training.synthetic import audit
    from training.synthetic import generate as synthetic

    counts = {"train": args.train, "dev": args.dev, "test": args.test, "test_seen": args.test}
    synthetic.generate(args.output, counts, args.seed, args.vocabulary)
    if args.audit:
        for line in audit.report(synthetic.read(args.output)):
            print(line)


def train(args: argparse.Namespace) -> None:
    from core.schema import Schema, default_schema
    from core.store import in_use, splits
    from core.store.connection import existing
    from core.store.revisions import LOCAL
    from training import preset, run, several
    from training.data import Mix
    from training.plan import plan

    if args.job:
        run.work(args.job)
        return
    if not args.preset:
        raise ChartmarkError(f"name a preset: --preset {'|'.join(preset.names())}")
    databases = [p for p in args.data if p.suffix == ".db"]
    if len(databases) > 1:
        raise ChartmarkError("a run takes the gold of one database; name one")
    database = databases[0] if databases else None
    mix = Mix(
        files=tuple(p for p in args.data if p.suffix != ".db"),
        database=database,
        synthetic=args.synthetic,
        vocabulary=args.vocabulary,
    )
    schema = Schema.load(args.schema) if args.schema else default_schema()
    values = preset.load(args.preset, args.set)
    folder = Path()
    if several.first():
        found = plan(values, mix, schema)
        if found.problem:
            raise ChartmarkError(f"{found.problem} with --set")
        print(*found.lines(), sep="\n", file=sys.stderr)
        if database:
            splits.settle(existing(database), LOCAL)
        against = in_use.model(existing(database)) if database else in_use.FIRST
        folder = run.create(run.Config(args.preset, values, schema, mix, LOCAL, against))
        print(f"run {folder.name}, in {folder}", file=sys.stderr)
    folder = several.told(folder)
    if not several.first():
        run.help_with(folder)
        return
    run.work(folder, counting("training", " steps"))
    print(f"trained: {folder.name} (its model is in {folder / 'model'})", file=sys.stderr)
    for line in (run.comparison(folder) or {}).get("lines", []):
        print(line)


def runs(args: argparse.Namespace) -> None:
    from core import jobs
    from training import run

    if args.action == "list":
        found = run.runs()
        for j in found:
            print(
                f"{j.folder.name}  {j.state:<11} {j.done}/{j.of} steps  {j.title}  {j.message}".rstrip()
            )
        if not found:
            print("no runs yet: app.py train starts one", file=sys.stderr)
        return
    if not args.run_id:
        raise ChartmarkError(f"name the run: app.py runs {args.action} ID")
    folder = run.find(args.run_id)
    if args.action == "show":
        j = jobs.job(folder)
        print(f"{j.title}: {j.state} {j.message}".rstrip())
        for name in ("config.yaml", "data.yaml"):
            if (folder / name).exists():
                print((folder / name).read_text(encoding="utf-8"), end="")
        for figures in run.metrics(folder)[-5:]:
            print(figures)
    elif args.action == "cancel":
        jobs.stop(folder)
        print(f"asked {folder.name} to stop; its last checkpoint is kept", file=sys.stderr)
    else:
        run.begin(folder)
        print(f"{folder.name} goes on in the background; see `app.py runs show`", file=sys.stderr)


def evaluate(args: argparse.Namespace) -> None:
    from core import jobs
    from core.evaluation import export
    from core.evaluation.evaluate import evaluate as score
    from core.evaluation.versus import versus
    from core.store import evaluations
    from core.store.connection import existing
    from core.store.revisions import LOCAL

    if args.output and len(args.model) > 1:
        raise ChartmarkError("--output takes the report of one model; name one")
    reports = []
    with jobs.reporting(args.job) as told:
        shown = counting("reading")
        for i, model in enumerate(args.model):

            def progress(done: int, of: int, i: int = i) -> None:
                shown(i * of + done, len(args.model) * of)
                told(i * of + done, len(args.model) * of)

            report = score(
                model, args.data, args.corpora, args.db,
                allow_overlap=args.allow_overlap, progress=progress,
            )  # fmt: skip
            reports.append(report)
            if args.db.is_file():
                evaluations.add(existing(args.db), report, args.by or LOCAL)
    if args.output:
        export.write(reports[0], args.output)
    for report in reports:
        for line in report.lines():
            print(line)
    for other in reports[1:]:
        for line in versus(reports[0], other).lines():
            print(line)


def benchmark(args: argparse.Namespace) -> None:
    from tempfile import TemporaryDirectory

    from core.evaluation import benchmark as scores
    from core.files import atomic
    from training.synthetic import generate as synthetic

    if not args.corpora.is_dir():
        raise ChartmarkError(f"{args.corpora} is no folder; give the folder of corpora")
    command = f"python app.py benchmark {args.corpora} --model {args.model}"
    with TemporaryDirectory() as made:
        tests = {"test": SYNTHETIC_TESTS, "test_seen": SYNTHETIC_TESTS}
        synthetic.generate(Path(made), tests, seed=0)
        more = [
            scores.Benchmark(data=f"{made}/{name}.jsonl", evaluates=what)
            for name, what in (
                ("test", "synthetic notes (seed 0), names and ways of saying unseen in training"),
                ("test_seen", "synthetic notes (seed 0), the same names and ways as in training"),
            )
        ]
        rows = list(scores.run(args.model, args.corpora, args.db, more, counting("reading")))
    table = scores.markdown(args.model, rows, command)
    if args.output:
        with atomic(args.output) as out:
            out.write(table)
    print(table, end="")


SYNTHETIC_TESTS = 500


def counting(what: str, unit: str = " documents") -> "Callable[[int, int], None]":
    """A progress bar for a function that tells how far it is."""
    from tqdm import tqdm

    bar = tqdm(desc=what, unit=unit, disable=not sys.stderr.isatty())

    def told(done: int, of: int) -> None:
        bar.total = of
        bar.update(done - bar.n)
        if done == of:
            bar.close()

    return told


def user_add(args: argparse.Namespace) -> None:
    import getpass

    from ui import access

    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {args.name}: ")
        if getpass.getpass("Again: ") != password:
            raise ChartmarkError("the two passwords differ; nothing was changed")
    else:
        password = sys.stdin.readline().rstrip("\n")
    access.add_user(args.auth, args.name, password)
    print(f"{args.name} can log in with {args.auth}", file=sys.stderr)


def share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of notes")
    return number


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong call gets one line, like every other error."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"app.py: {message}; see `python {self.prog} --help`\n")


def parser() -> Parser:
    root = Parser(
        prog="app.py", description=__doc__, epilog="Without a command: serve (`serve --help`)."
    )
    root.set_defaults(allow_hub=False)
    commands = root.add_subparsers(dest="command", metavar="COMMAND")

    sub = commands.add_parser("serve", help="serve the app (the default)")
    sub.add_argument("--host", default="127.0.0.1", help="another needs --auth, --cert, --key")
    sub.add_argument("--port", type=int, default=7860)
    sub.add_argument("--auth", type=Path, metavar="FILE", help="password file, made by `user add`")
    sub.add_argument("--cert", type=Path, metavar="FILE", help="TLS certificate (PEM)")
    sub.add_argument("--key", type=Path, metavar="FILE", help="TLS key (PEM)")
    sub.set_defaults(run=serve)

    sub = commands.add_parser("extract", help="entities and relations of notes, as JSON Lines")
    sub.add_argument("input", metavar="IN", help="a .jsonl or .txt file, a folder of .txt, or -")
    sub.add_argument("--output", type=Path, required=True, metavar="OUT.jsonl")
    sub.add_argument("--model", default="starter", help="a model's name, a run's id or a folder")
    sub.add_argument("--threshold", type=share, metavar="T", help="in place of the model's own")
    sub.set_defaults(run=extract)

    sub = commands.add_parser("import", help="documents of a file or folder into the database")
    sub.add_argument("path", type=Path, metavar="PATH")
    sub.add_argument("--format", metavar="NAME", help="as PATH tells, if it is left out")
    sub.add_argument("--map", metavar="NAME|FILE", help="other labels in terms of the schema's")
    sub.add_argument("--split", default="", metavar="NAME", help="train, dev or test")
    sub.add_argument(
        "--dry-run", action="store_true", help="say what would be stored, and store nothing"
    )
    sub.set_defaults(run=load)

    sub = commands.add_parser("export", help="gold labels of the database to a file or folder")
    sub.add_argument("path", type=Path, metavar="PATH")
    sub.add_argument("--format", required=True, metavar="NAME")
    sub.add_argument("--split", default="", metavar="NAME", help="train, dev or test")
    sub.add_argument("--corrected", action="store_true", help="only what a person completed")
    sub.set_defaults(run=save)

    sub = commands.add_parser("schema", help="the label schema in force, or another put in its place")
    sub.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a YAML file")
    sub.set_defaults(run=schema)

    sub = commands.add_parser("backup", help="copy the database while it is in use")
    sub.add_argument("file", type=Path, metavar="FILE")
    sub.set_defaults(run=back_up)

    sub = commands.add_parser("restore", help="put a backup in the database's place")
    sub.add_argument("file", type=Path, metavar="FILE")
    sub.set_defaults(run=restore)

    sub = commands.add_parser("purge", help="remove a document and all that came from it")
    sub.add_argument("document", metavar="DOCUMENT", help="its id")
    sub.add_argument("--backups", action="store_true", help="in the backups that Chartmark made, too")
    sub.set_defaults(run=purge)

    sub = commands.add_parser("generate", help="synthetic notes whose relations are in the text")
    sub.add_argument("--output", type=Path, required=True, metavar="DIR")
    sub.add_argument("--train", type=count, default=4000, metavar="N")
    sub.add_argument("--dev", type=count, default=500, metavar="N")
    sub.add_argument("--test", type=count, default=500, metavar="N", help="and as many test_seen")
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument(
        "--vocabulary", type=Path, metavar="FOLDER", help="open vocabularies, for more names"
    )
    sub.add_argument("--audit", action="store_true", help="what the sets hold and give away")
    sub.set_defaults(run=generate)

    sub = commands.add_parser("train", help="train a model")
    sub.add_argument("--preset", metavar="NAME")
    sub.add_argument("--job", type=Path, help=argparse.SUPPRESS)  # core.jobs gives it
    sub.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="databases, .jsonl files and folders of corpora",
    )
    sub.add_argument("--synthetic", type=int, default=0, metavar="N", help="so many made notes, too")
    sub.add_argument(
        "--vocabulary", type=Path, metavar="FOLDER", help="open vocabularies, for their names"
    )
    sub.add_argument("--schema", type=Path, metavar="FILE", help="other labels than the default ones")
    sub.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a value of the preset, as in schedule.epochs=3",
    )
    sub.set_defaults(run=train)

    sub = commands.add_parser("runs", help="training runs: list, show, cancel, resume")
    sub.add_argument("action", nargs="?", choices=("list", "show", "cancel", "resume"), default="list")
    sub.add_argument("run_id", nargs="?", metavar="ID")
    sub.set_defaults(run=runs)

    sub = commands.add_parser("evaluate", help="precision, recall and F1 of a model")
    sub.add_argument("--model", nargs="+", default=["starter"], help="several are compared")
    sub.add_argument("--job", type=Path, help=argparse.SUPPRESS)  # core.jobs gives these two
    sub.add_argument("--by", default="", help=argparse.SUPPRESS)
    sub.add_argument(
        "--data",
        required=True,
        metavar="FILE|SPLIT|CORPUS/SPLIT",
        help="a .jsonl file with gold labels, a split of the database, or for example bc5cdr/dev",
    )
    sub.add_argument(
        "--output", type=Path, metavar="REPORT", help="as .json, .csv, .md or .html, as its name ends"
    )
    sub.add_argument(
        "--allow-overlap", action="store_true", help="leave out what the model was trained on"
    )
    sub.add_argument("--corpora", type=Path, metavar="FOLDER", help="where the corpora are")
    sub.set_defaults(run=evaluate)

    sub = commands.add_parser("benchmark", help="a model on every corpus, beside published figures")
    sub.add_argument("corpora", type=Path, metavar="CORPORA", help="the folder of corpora")
    sub.add_argument("--model", default="starter", metavar="ID")
    sub.add_argument("--output", type=Path, metavar="FILE.md", help="the table as Markdown")
    sub.set_defaults(run=benchmark)

    for name in (
        "serve",
        "import",
        "export",
        "schema",
        "backup",
        "restore",
        "purge",
        "evaluate",
        "benchmark",
    ):
        commands.choices[name].add_argument(
            "--db", type=Path, default=Path("annotations.db"), metavar="FILE", help="the database"
        )
    for name in ("serve", "extract", "train", "evaluate", "benchmark"):
        commands.choices[name].add_argument(
            "--allow-hub", action="store_true", help="let models be fetched from the Hugging Face hub"
        )

    sub = commands.add_parser("user", help="who may log in")
    users = sub.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = users.add_parser("add", help="add a user or set a new password")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--auth", type=Path, required=True, metavar="FILE")
    add.set_defaults(run=user_add)
    return root


def main(words: list[str]) -> int:
    """Run a command; 0, or 1 after one line on stderr that says what is wrong and what to do."""
    known = parser()
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["serve", *words]
    args = known.parse_args(words)
    hub.settle(allowed=args.allow_hub)
    # Libraries' notes to their developers: what stands on stderr here is for the user.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(transformers|peft)\.")
    # Ended from outside, a command still takes its half-written files away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        args.run(args)
    except ChartmarkError as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not getattr(args, "job", None):
            raise
        # A job's log is shown on the page, and a fault's message may hold a note.
        print(f"app.py: {type(error).__name__} {place(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
