"""The whole recipe as one closed model, and the walk through its stages.

`walk` does what is stale, skips what is fresh, and stops politely where people are needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, cast

from pydantic import Field

from curate import STAGES, storage
from curate.agree import AgreeSpec
from curate.clean import CleanSpec
from curate.errors import DataError, RecipeError
from curate.evaluate import EvaluateSpec
from curate.export import ExportSpec
from curate.forms import load_form
from curate.mix import MixSpec
from curate.pool import PoolSpec
from curate.pull import PullResult, PullSpec, bring
from curate.push import PushSpec, RestoreResult, restore, rewritten
from curate.report import ReportSpec
from curate.sample import SampleSpec
from curate.score import ScoreSpec
from curate.spec import Spec, validated
from curate.storage import Provenance
from curate.workspace import Workspace

NAME = "recipe.yaml"
PEOPLE = ("sample", "push", "pull")


class Recipe(Spec):
    """A run from raw text to a mixture. A section left out has its defaults.

    `sample` and `push` belong together and bring people in; `mix` brings the export with it.
    """

    name: Annotated[
        str | None, Field(pattern=r"^[\w.-]+$", description="Used in the names of projects.")
    ] = None
    encoder: Annotated[
        str | None, Field(description="The encoder of every stage that does not name its own.")
    ] = None
    engine: Annotated[
        Literal["local", "ray"] | None, Field(description="What bulk work runs on.")
    ] = None
    workers: Annotated[int | None, Field(ge=1, description="Its processes; default all cores.")] = (
        None
    )
    pool: PoolSpec = PoolSpec()
    clean: CleanSpec = CleanSpec()
    sample: SampleSpec = SampleSpec()
    push: PushSpec = PushSpec()
    pull: PullSpec = PullSpec()
    agree: AgreeSpec = AgreeSpec()
    score: ScoreSpec = ScoreSpec()
    mix: MixSpec = MixSpec()
    export: ExportSpec = ExportSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    report: ReportSpec = ReportSpec()

    def section(self, stage: str) -> Spec:
        """Return a stage's settings."""
        spec = cast(Spec, getattr(self, stage))
        if stage == "score" and self.encoder and "encoder" not in spec.model_fields_set:
            return spec.model_copy(update={"encoder": self.encoder})
        return spec

    def asks_people(self) -> bool:
        """Whether the recipe brings people in."""
        return bool({"sample", "push"} & self.model_fields_set)


class Stage(Protocol):
    """What every stage's module exposes."""

    READS: tuple[str, ...]
    WRITES: tuple[str, ...]

    def run(self, workspace: Workspace, spec: Any) -> Any:
        """Read tables, call pure functions, write tables; return what happened."""
        ...


@dataclass(frozen=True)
class Step:
    """What the walk did at one stage; `waiting` is for people."""

    stage: str
    state: Literal["done", "fresh", "waiting"]
    result: Any = None
    seconds: float = 0.0


@dataclass(frozen=True)
class StageStatus:
    """Where a stage stands; `unused` says that the recipe does not need it."""

    stage: str
    state: Literal["fresh", "stale", "missing", "open", "unused"]
    at: str | None


# ── reading recipes


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe; `overrides` are `section.key=value`, with YAML values. Raises RecipeError."""
    if not path.is_file():
        raise RecipeError(f"no recipe {path}", hint="start with `curate init --template sentiment`")
    data = _yaml(path.read_bytes(), path.name)
    if not isinstance(data, dict):
        raise RecipeError(
            f"{path.name}: a recipe is a mapping of sections",
            hint="`curate recipe schema` prints every key",
        )
    data = {key: {} if value is None else value for key, value in data.items()}
    for override in overrides:
        _override(data, override)
    return validated(Recipe, data, where=path.name)


def _yaml(text: str | bytes, where: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"{where}: not YAML: {' '.join(str(error).split())}",
            hint="a recipe is a mapping of sections, as in recipes/sentiment.yaml",
        ) from None


def _override(data: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign:
        raise RecipeError(f"--set {override}: write section.key=value")
    *parents, last = key.split(".")
    place: Any = data
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise RecipeError(f"--set {override}: {parent} is not a section")
    place[last] = _yaml(value, f"--set {override}")


def of_workspace(workspace: Workspace, overrides: Sequence[str] = ()) -> Recipe:
    """Return the workspace's recipe; one without has the defaults."""
    path = workspace.root / NAME
    return load(path, overrides) if path.exists() or overrides else Recipe()


def adopt(workspace: Workspace, path: Path) -> tuple[str, ...]:
    """Make `path` the workspace's recipe; return the fields that differ from the one before.

    The ledger keeps the recipe that was replaced.
    """
    recipe = load(path)
    own = workspace.root / NAME
    workspace.init(recipe.name or _named_by(path))
    if own.exists() and own.samefile(path):
        return ()
    text = path.read_text(encoding="utf-8")
    before = own.read_text(encoding="utf-8", errors="replace") if own.exists() else None
    if before == text:
        return ()
    changed: tuple[str, ...] = ()
    if before is not None:
        changed = tuple(_changes(before, text))
        made = Provenance("recipe", {"replaced": before}, {}, "")
        workspace.record(made, (), {"changed": changed}, 0.0)
    storage.write_text(own, text)
    return changed


def _named_by(path: Path) -> str:
    return path.stem if path.stem != "recipe" else path.resolve().parent.name


def _changes(before: str, after: str) -> Iterator[str]:
    try:
        old = _yaml(before, NAME)
    except RecipeError:
        old = {}  # it could not be read: everything is new
    return _differences(old, _yaml(after, NAME))


def _differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _differences(one.get(key), other.get(key), f"{path}.{key}".strip("."))
    elif one != other:
        yield path


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe, for editors and checks."""
    return Recipe.model_json_schema()


def templates() -> dict[str, Path]:
    """Return the recipes that come with curate, by name."""
    here = Path(__file__).parent
    folders = [here.parent / "recipes", here / "recipes"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yaml"))}


def begin(workspace: Workspace, template: str) -> list[str]:
    """Make a folder a workspace with a template's recipe and its form; return what to do next.

    What is there already stays as it is.
    """
    known = templates()
    if template not in known:
        raise RecipeError(f"no template {template}", hint=f"there are: {', '.join(known)}")
    recipe = load(known[template])
    own = workspace.root / NAME
    if own.exists():
        raise DataError(f"{own} exists already", hint="use another folder, or `curate run` here")
    root = workspace.root
    workspace.init(recipe.name or template)
    storage.write_text(own, known[template].read_text(encoding="utf-8"))
    told = [f"{root} is a workspace: edit {own}"]
    if recipe.asks_people():
        form = root / "label_configs" / f"{recipe.push.form}.xml"
        storage.write_text(form, load_form(recipe.push.form).xml)
        told.append(f"people will see the form {form}")
    patterns = ", ".join(path for source in recipe.pool.sources for path in source.paths)
    (root / "data").mkdir(exist_ok=True)
    told.append(f"put your texts at {root}/{patterns}, then: curate run -w {root}")
    return told


# ── running stages


def module(stage: str) -> Stage:
    """Return a stage's module."""
    return cast(Stage, import_module(f"curate.{stage}"))


def run_stage(workspace: Workspace, stage: str, spec: Spec) -> Step:
    """Run one stage and write it into the ledger."""
    code = module(stage)
    started = time.perf_counter()
    made = _made(workspace, stage, spec)
    result = code.run(workspace, spec)
    seconds = time.perf_counter() - started
    workspace.record(made, code.WRITES, result, seconds)
    return Step(stage, "done", result, seconds)


def _made(workspace: Workspace, stage: str, spec: Spec) -> Provenance:
    code = module(stage)
    inputs = getattr(code, "inputs", None)
    known = inputs(workspace, spec) if inputs else workspace.inputs(code.READS)
    return workspace.provenance(stage, spec, known)


def is_fresh(workspace: Workspace, stage: str, spec: Spec) -> bool:
    """Whether running the stage again would change nothing."""
    return workspace.is_fresh(_made(workspace, stage, spec), module(stage).WRITES)


def walk(
    recipe: Recipe,
    workspace: Workspace,
    *,
    next_round: bool = False,
    overrides: Sequence[str] = (),
    started: Callable[[str], None] = lambda stage: None,
) -> Iterator[Step]:
    """Run every stage that is stale, in order, yielding each as it ends.

    The last step is `waiting` where people have not finished. `overrides` are those that the
    recipe was loaded with: what they say of `push` lasts until the round has been sent.
    """
    for stage in STAGES:
        if stage == "sample" and recipe.asks_people():
            for step in _ask_people(recipe, workspace, next_round, overrides, started):
                yield step
                if step.state == "waiting":
                    return
        if stage in PEOPLE or not takes_part(recipe, workspace, stage):
            continue
        spec = recipe.section(stage)
        if is_fresh(workspace, stage, spec):
            yield Step(stage, "fresh")
        else:
            started(stage)
            yield run_stage(workspace, stage, spec)


def takes_part(recipe: Recipe, workspace: Workspace, stage: str) -> bool:
    """Whether a stage belongs to the run: by its section, or by what there is to work on."""
    if stage in PEOPLE:
        return recipe.asks_people()
    answered = [each.purpose for each in workspace.rounds if each.fingerprint("annotations")]
    learnable = any(purpose != "pilot" for purpose in answered)
    if stage == "agree":
        return bool(answered)
    if stage == "score":
        return learnable
    if stage in ("mix", "export"):
        return "mix" in recipe.model_fields_set
    if stage == "evaluate":
        return learnable or "mix" in recipe.model_fields_set
    return True


def _ask_people(
    recipe: Recipe,
    workspace: Workspace,
    next_round: bool,
    overrides: Sequence[str],
    started: Callable[[str], None],
) -> Iterator[Step]:
    rounds = [each for each in workspace.rounds if each.purpose != "import"]
    if next_round and rounds and not rounds[-1].closed:
        unsent = "`curate run` sends it" if rounds[-1].push is None else "let people finish it"
        raise DataError(
            f"round {rounds[-1].number} is still open",
            hint=f"{unsent}, or end it with `curate round close`",
        )
    only_pilots = all(each.purpose == "pilot" and each.closed for each in rounds)
    if next_round or (only_pilots and recipe.sample.purpose == "label") or not rounds:
        _remember(workspace, workspace.next_number, overrides)
        started("sample")
        yield run_stage(workspace, "sample", recipe.section("sample"))
    else:
        if rounds[-1].push is None:
            _remember(workspace, rounds[-1].number, overrides)
        yield Step("sample", "fresh")
    current = workspace.round
    if current.closed:
        yield from (Step("push", "fresh"), Step("pull", "fresh"))
        return
    if _is_pushed(workspace, current.number):
        yield Step("push", "fresh")
    else:
        started("push")
        yield run_stage(workspace, "push", recipe.section("push"))
    started("pull")
    step = run_stage(workspace, "pull", recipe.section("pull"))
    result: PullResult = step.result
    yield step if result.done else Step("pull", "waiting", result, step.seconds)


def _remember(workspace: Workspace, number: int, overrides: Sequence[str]) -> None:
    """Write down how a round is meant to be pushed, before it is there: a push may fail."""
    asked = [each for each in overrides if each.startswith("push.")]
    if asked:
        made = Provenance("meant", {"set": asked}, {}, "")
        workspace.record(made, (), {"round": number}, 0.0)


def meant(workspace: Workspace) -> tuple[str, ...]:
    """Return the overrides of `push` that the newest round was opened with, until it is sent."""
    asked = [each for each in workspace.rounds if each.purpose != "import"]
    line = workspace.last_run("meant")
    if not asked or line is None or asked[-1].push is not None or asked[-1].closed:
        return ()
    return tuple(line["spec"]["set"]) if line["result"]["round"] == asked[-1].number else ()


def _is_pushed(workspace: Workspace, number: int) -> bool:
    line = workspace.last_run("push")
    return line is not None and line["result"]["round"] == number


def bring_answers(workspace: Workspace, recipe: Recipe, answers: Path) -> PullResult:
    """Bring in answers made elsewhere, with the recipe's form, and write it into the ledger."""
    started = time.perf_counter()
    result = bring(workspace, answers, load_form(recipe.push.form, workspace.root))
    made = workspace.provenance("import", recipe.push, {"answers": storage.sha256_of(answers)})
    workspace.record(made, ("annotations",), result, time.perf_counter() - started)
    return result


def put_back(workspace: Workspace) -> RestoreResult:
    """Restore the newest round on its server, and write it into the ledger."""
    started = time.perf_counter()
    made = workspace.provenance("restore", PushSpec(), workspace.inputs(("annotations",)))
    result = restore(workspace)
    workspace.record(made, ("project",), result, time.perf_counter() - started)
    return result


def status(recipe: Recipe, workspace: Workspace) -> list[StageStatus]:
    """Return where every stage stands."""
    found = []
    for stage in STAGES:
        line = workspace.last_run(stage)
        found.append(
            StageStatus(stage, _state(recipe, workspace, stage), line["at"] if line else None)
        )
    return found


def for_next_round(recipe: Recipe, workspace: Workspace) -> tuple[str, ...]:
    """Return the settings that differ from those the newest round is frozen with."""
    asked = [each for each in workspace.rounds if each.purpose != "import"]
    if not asked or not recipe.asks_people():
        return ()
    frozen = {"sample": asked[-1].spec["sample"]}
    if asked[-1].push is not None:
        frozen["push"] = asked[-1].push["spec"]
    current = {stage: recipe.section(stage).settings() for stage in frozen}
    found = tuple(_differences(frozen, current))
    if asked[-1].push is None:
        return found
    words = rewritten(workspace, recipe.push, asked[-1])
    return (*found, *(name for name in words if name not in found))


def _state(
    recipe: Recipe, workspace: Workspace, stage: str
) -> Literal["fresh", "stale", "missing", "open", "unused"]:
    if not takes_part(recipe, workspace, stage):
        return "unused"
    code = module(stage)
    if any(workspace.fingerprint(name) is None for name in code.WRITES):
        return "missing"
    if stage in PEOPLE:
        return "fresh" if workspace.round.closed or stage == "sample" else "open"
    try:
        return "fresh" if is_fresh(workspace, stage, recipe.section(stage)) else "stale"
    except DataError:
        return "stale"  # the files it was made from are gone
