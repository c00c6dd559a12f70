"""The command line: parse → Spec → run → show.

Every option is unset by default: option > recipe > default of the Spec. Nested settings live in
recipes only.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate import __version__, console
from curate.commands import people, servers, things
from curate.commands.options import (
    HERE,
    EngineName,
    Json,
    Names,
    Real,
    Root,
    Switch,
    Text,
    Wait,
    Whole,
    Workers,
    open_workspace,
    work_on,
)
from curate.errors import CurateError, RecipeError

if TYPE_CHECKING:
    from curate.rounds.standing import AnnotatorStatus
    from curate.workspace import Workspace

app = typer.Typer(
    help="Curate training data for language models, with people in the loop.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.add_typer(things.rounds, name="round")
app.add_typer(people.people, name="people")
app.add_typer(things.recipes, name="recipe")
app.add_typer(servers.servers, name="server")
app.add_typer(things.forms, name="forms")


def main() -> None:
    """Run the command line; expected errors become one line, a hint and an exit code."""
    try:
        app()
    except CurateError as problem:
        console.error(problem)
        sys.exit(problem.exit_code)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        hint = "what was done is kept: mend it and run the same command again"
        console.error(CurateError(f"{where}{problem.strerror or problem}", hint=hint))
        sys.exit(1)


def _run(
    stage: str,
    root: Path,
    as_json: bool,
    wait: float,
    options: Mapping[str, Any],
    *,
    accept: bool = False,
    engine: str | None = None,
    workers: int | None = None,
) -> None:
    """Run one stage with the recipe's settings and the options that were given."""
    from curate.run import asking as asking_
    from curate.run import files
    from curate.run import stages as stages_
    from curate.spec import validated

    workspace = open_workspace(root, accept_withdrawals=accept)
    if stage != "pool":
        workspace.require("pool")
    whole = files.of_workspace(workspace, asking_.meant(workspace))
    work_on(workspace, engine or whole.engine, workers or whole.workers)
    own = whole.section(stage)
    given = {name: value for name, value in options.items() if value is not None}
    settings = {**own.model_dump(mode="json", exclude_unset=True), **given}
    spec = validated(type(own), settings, where=f"curate {stage}")
    with workspace.lock(stage, wait=wait):
        workspace.init(root.resolve().name)
        done = stages_.run_stage(workspace, stage, spec)
    console.show(done.result, as_json=as_json)


def _from_here(value: str | None) -> str | None:
    """Return a path as seen from the current folder; what names no file there stays as it is."""
    return str(Path(value).resolve()) if value and Path(value).exists() else value


# ── the whole run


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The run's folder.")] = HERE,
    template: Annotated[str, typer.Option(help="A recipe by name.")] = "sentiment",
) -> None:
    """Make a folder a workspace, with a recipe and its form to start from.

    Example: curate init my-run --template sentiment
    """
    from curate.run.files import begin

    for line in begin(open_workspace(folder), template):
        console.note(line)


@app.command()
def run(
    path: Annotated[Path | None, typer.Argument(help="A recipe; it is copied.")] = None,
    next_round: Annotated[bool, typer.Option("--next-round", help="Ask people again.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="section.key=value")] = None,
    purpose: Annotated[str | None, typer.Option(help="Of the next round: label or pilot.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Estimate time, disk and memory; write nothing.")
    ] = False,
    engine: EngineName = None,
    workers: Workers = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Run what is stale, skip what is fresh, pause where people are needed (exit 3).

    Example: curate run recipes/sentiment.yaml -w my-run

    Example: curate run recipes/sentiment.yaml -w my-run --dry-run
    """
    from curate.run import asking as asking_
    from curate.run import files, walk

    here = open_workspace(workspace)
    if path is not None:
        files.load(path)
    if dry_run:
        from curate.run.forecast import estimate

        meant = files.load(path, set_ or ()) if path else files.of_workspace(here, set_ or ())
        work_on(here, engine or meant.engine, workers or meant.workers)
        console.show(estimate(meant, here), as_json=as_json)
        return
    if purpose and not next_round and here.rounds:
        raise RecipeError("--purpose is for a new round", hint="add --next-round")
    given = [*(set_ or ()), *([f"sample.purpose={purpose}"] if purpose else ())]
    with here.lock("run", wait=wait):
        for field in files.adopt(here, path) if path else ():
            console.note(f"recipe.yaml: {field} changed")
        opened_with = asking_.meant(here)
        for each in opened_with:
            console.note(f"round {here.round.number} was opened with --set {each}")
        overrides = [*opened_with, *given]
        whole = files.of_workspace(here, overrides)
        here.init(whole.name or workspace.resolve().name)
        work_on(here, engine or whole.engine, workers or whole.workers)
        steps = []
        for done in walk.walk(whole, here, next_round=next_round, overrides=overrides):
            console.step(done)
            steps.append(done)
    if as_json:
        console.show({"steps": steps}, as_json=True)
    if steps and steps[-1].state == "waiting":
        _wait_for_people(here, steps[-1].result)


def _wait_for_people(workspace: Workspace, result: Any) -> None:
    from curate.connections import Connections

    connections = Connections(workspace.root, console.watch)
    batches = workspace.round.batches
    logins = [connections.login(each.project.backend, each.project.url) for each in batches]
    console.waiting(result, batches, logins)
    raise typer.Exit(3)


@app.command()
def status(workspace: Root = HERE, as_json: Json = False) -> None:
    """Show where every stage stands, and how far people are, each of them.

    A server that runs is asked; none is started.

    Example: curate status -w my-run
    """
    from curate.rounds.standing import overview
    from curate.run import files, standing

    here = open_workspace(workspace)
    whole, _ = files.of_workspace(here), here.about
    stages, later = standing.status(whole, here), standing.for_next_round(whole, here)
    rounds, progress = overview(here), _progress(here)
    if as_json:
        found = {"stages": stages, "rounds": rounds, "people": progress, "for_next_round": later}
        console.show(found, as_json=True)
        return
    console.table(stages)
    if rounds:
        console.table(rounds, title="rounds")
    if progress:
        console.table(progress, title="people")
    for field in later:
        console.note(f"{field} is not that of round {rounds[-1].round}: it acts on the next one")


def _progress(workspace: Workspace) -> list[AnnotatorStatus]:
    from curate.connections import Connections
    from curate.rounds.standing import progress

    asking = [each for each in workspace.rounds if each.purpose != "import" and each.push]
    if not asking:
        return []
    current = asking[-1]
    try:
        backend = None
        if not current.closed:
            connections = Connections(workspace.root, console.watch)
            backend = connections.running(current.batches[0].project.backend)
        return progress(current, workspace.root, backend)
    except CurateError as fault:
        console.note(f"{fault.message}: people's progress is what has come home")
        return progress(current, workspace.root, None)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="An export.")] = Path("export"),
    as_json: Json = False,
) -> None:
    """Check an export against its manifest: sums, counts, ids, groups, copies.

    Example: curate verify my-run/export
    """
    from curate.export.verify import verify as check

    result = check(folder)
    console.show(result, as_json=as_json)
    if result.problems:
        raise CurateError(f"{folder}: {len(result.problems)} things are wrong")


@app.command()
def remove(
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    ids: Annotated[Path | None, typer.Option(help="A file with one id a line.")] = None,
    domain: Annotated[str | None, typer.Option(help="Of the address a document is from.")] = None,
    url: Annotated[str | None, typer.Option(help="How that address begins.")] = None,
    only: Annotated[bool, typer.Option("--only", help="Leave near-duplicates.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what exports hold today.")] = False,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Take documents down for ever, with their copies: texts, vectors, server tasks. It asks.

    Example: curate remove --domain example.org --reason "asked by the owner"
    """
    from curate.commands.removing import checked, taken_down

    here = open_workspace(workspace)
    with here.lock("remove", wait=wait):
        if check:
            checked(here, as_json)
        else:
            taken_down(here, reason, {"ids": ids, "domain": domain, "url": url}, only, yes, as_json)


# ── the stages


@app.command()
def pool(
    tokenizer: Text = None,
    holdout: Real = None,
    share: Real = None,
    strict: Switch = None,
    seed: Whole = None,
    engine: EngineName = None,
    workers: Workers = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Collect the documents of the recipe's sources; only new files are read.

    Example: curate pool --holdout 0.05

    Example: curate pool --tokenizer cl100k_base    (counts again what is stored)
    """
    options = {
        "tokenizer": _from_here(tokenizer),
        "holdout": holdout,
        "share": share,
        "strict": strict,
        "seed": seed,
    }
    _run("pool", workspace, as_json, wait, options, engine=engine, workers=workers)


@app.command()
def clean(
    rules: Names = None,
    near_duplicates: Real = None,
    against: Names = None,
    languages: Names = None,
    language_confidence: Real = None,
    licenses: Names = None,
    explain: Annotated[
        str | None, typer.Option(help="RULE or RULE:SIGNAL: show documents near its limits.")
    ] = None,
    what_if: Annotated[
        list[str] | None, typer.Option(help="RULE:SIGNAL.min=VALUE: what that would keep.")
    ] = None,
    engine: EngineName = None,
    workers: Workers = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Give every document a verdict and a reason; or show what limits do, and write nothing.

    Example: curate clean --rules length --near-duplicates 0.7 --languages en --languages zh

    Example: curate clean --explain length:words --what-if length:words.min=10,20
    """
    if explain or what_if:
        from curate.commands.explaining import explained

        explained(open_workspace(workspace), explain, what_if or (), as_json)
        return
    options = {
        "rules": rules,
        "near_duplicates": near_duplicates,
        "against": [str(_from_here(each)) for each in against] if against else None,
        "languages": languages,
        "language_confidence": language_confidence,
        "licenses": licenses,
    }
    _run("clean", workspace, as_json, wait, options, engine=engine, workers=workers)


@app.command()
def sample(
    n: Whole = None,
    strategy: Text = None,
    by: Names = None,
    allocation: Text = None,
    purpose: Text = None,
    compare: Switch = None,
    window: Whole = None,
    gold: Text = None,
    relabel: Text = None,
    seed: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Open a round: choose what people see next; --relabel sends again what was answered.

    Example: curate sample --n 300 --strategy stratified

    Example: curate sample --relabel label=neutral
    """
    options = {"n": n, "strategy": strategy, "by": by, "allocation": allocation}
    options |= {"purpose": purpose, "compare": compare, "window": window, "relabel": relabel}
    _run("sample", workspace, as_json, wait, {**options, "gold": _from_here(gold), "seed": seed})


@app.command()
def push(
    backend: Text = None,
    form: Text = None,
    overlap: Text = None,
    guidelines: Text = None,
    assign: Text = None,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring back a lost project with its answers.")
    ] = False,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Send the newest round to people; what is there already is left alone.

    Example: curate push --backend label_studio --form sentiment --overlap 3
    """
    if restore:
        from curate.run import asking as asking_

        here = open_workspace(workspace)
        with here.lock("push --restore", wait=wait):
            console.show(asking_.put_back(here), as_json=as_json)
        return
    wanted = int(overlap) if overlap and overlap.isdigit() else overlap
    options = {"backend": backend, "form": _from_here(form), "overlap": wanted, "assign": assign}
    options["guidelines"] = _from_here(guidelines)
    _run("push", workspace, as_json, wait, options)


@app.command()
def pull(
    enough: Real = None,
    answers: Annotated[Path | None, typer.Option(help="Answers made elsewhere (JSONL).")] = None,
    accept_withdrawals: Annotated[
        bool, typer.Option("--accept-withdrawals", help="Answers gone from the server are gone.")
    ] = False,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Bring answers home, append-only; with --answers, those made elsewhere.

    Example: curate pull --answers labels.jsonl
    """
    if answers is None:
        _run("pull", workspace, as_json, wait, {"enough": enough}, accept=accept_withdrawals)
        return
    from curate.run import asking as asking_
    from curate.run import files

    here = open_workspace(workspace)
    here.require("pool")
    with here.lock("pull", wait=wait):
        result = asking_.bring_answers(here, files.of_workspace(here), answers)
    console.show(result, as_json=as_json)


@app.command()
def agree(
    method: Text = None,
    bootstrap: Whole = None,
    seed: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Settle disagreement into labels, and measure it.

    Example: curate agree --method dawid_skene
    """
    options = {"method": method, "bootstrap": bootstrap, "seed": seed}
    _run("agree", workspace, as_json, wait, options)


@app.command()
def score(
    question: Text = None,
    encoder: Text = None,
    folds: Whole = None,
    resamples: Whole = None,
    seed: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Learn from the labels and score every document.

    Example: curate score --encoder minilm
    """
    options = {
        "question": question,
        "encoder": _from_here(encoder),
        "folds": folds,
        "resamples": resamples,
    }
    _run("score", workspace, as_json, wait, {**options, "seed": seed})


@app.command()
def mix(
    groups: Names = None,
    budget: Text = None,
    max_epochs: Whole = None,
    seed: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Draw the mixture.

    Example: curate mix --groups source --budget 20M
    """
    options = {"groups": groups, "budget": budget, "max_epochs": max_epochs, "seed": seed}
    _run("mix", workspace, as_json, wait, options)


@app.command()
def export(
    format: Text = None,
    layout: Text = None,
    shard_documents: Whole = None,
    seed: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Write the mixture for training.

    Example: curate export --format parquet
    """
    options = {"format": format, "layout": layout, "shard_documents": shard_documents}
    _run("export", workspace, as_json, wait, {**options, "seed": seed})


@app.command()
def evaluate(
    seeds: Whole = None,
    train_bytes: Whole = None,
    holdout_bytes: Whole = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Ask whether it helped: against people, and against plain mixtures.

    Example: curate evaluate --seeds 5
    """
    options = {"seeds": seeds, "train_bytes": train_bytes, "holdout_bytes": holdout_bytes}
    _run("evaluate", workspace, as_json, wait, options)


@app.command()
def report(
    title: Text = None,
    workspace: Root = HERE,
    as_json: Json = False,
    wait: Wait = 0,
) -> None:
    """Write one page that tells the run.

    Example: curate report --title "Reviews"
    """
    _run("report", workspace, as_json, wait, {"title": title})


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"curate {__version__}\n")
        raise typer.Exit


@app.callback()
def _callback(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Curate training data for language models, with people in the loop."""
