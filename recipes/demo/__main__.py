"""`python -m recipes.demo english|chinese|images FOLDER`: the whole loop, without a person.

english: three sources, a real Label Studio, recorded human ratings replayed by five accounts.
chinese: reviews with their recorded label, offline.
images: pictures of five kinds, a real Label Studio, the names of their folders replayed as labels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from recipes.demo import data, pictures, replay

ROOT = Path(__file__).parent.parent
SEED = 7
PEOPLE = ("ada", "ben", "chen", "dana", "emil")
RATINGS = "recorded human ratings, replayed"
TITLE = "Clip art of five kinds: labels are the names of folders, replayed"


def main() -> None:
    """Run the demo that the arguments name."""
    if len(sys.argv) != 3 or sys.argv[1] not in DEMOS:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[2]).resolve()
    started = time.monotonic()
    DEMOS[sys.argv[1]](folder)
    say(f"done in {time.monotonic() - started:.0f} s")


def english(folder: Path) -> None:
    """Go from raw text to a quality-weighted mixture, through a real Label Studio."""
    say("The demo: 18,513 English texts, and what people really said of them.")
    ratings = json.loads(data.write_english(folder / "data", cache()).read_text(encoding="utf-8"))
    server = run_json("server", "start", "label_studio", "--json")
    tokens = {account["email"]: account["token"] for account in map(account_of, PEOPLE)}
    if curate("run", str(ROOT / "sentiment.yaml"), "-w", str(folder)) == 3:
        say("Five accounts now answer at once: recorded human ratings, replayed over HTTP.")
        project = read(folder / "rounds/01/project.json")["batches"][0]["project"]
        answers = replay.plan(tasks_of(folder), ratings, list(tokens), SEED)
        (folder / "replayed.json").write_text(replay.as_json(answers), encoding="utf-8")
        seconds = replay.replay(project["server"], tokens, project["key"], answers)
        say(f"{len(answers)} answers given in {seconds:.0f} s.")
        stop_on_failure(curate("run", "-w", str(folder)))
    stop_on_failure(curate("verify", str(folder / "export")))
    close(folder, server)


def chinese(folder: Path) -> None:
    """Run the same loop offline on Chinese reviews, each answered with its recorded label."""
    say("The demo: 35,124 Chinese reviews, half of them exact copies.")
    truth = json.loads(data.write_chinese(folder / "data", cache()).read_text(encoding="utf-8"))
    if curate("run", str(ROOT / "chinese.yaml"), "-w", str(folder)) == 3:
        with (folder / "rounds/01/answers.jsonl").open("w", encoding="utf-8") as file:
            for task in tasks_of(folder):
                value = data.drawn(SEED, task["id"]).choice(truth[task["text"]])
                answer = {"id": task["id"], "question": "sentiment", "annotator": "recorded"}
                file.write(json.dumps({**answer, "value": value}) + "\n")
        say("Answers: the recorded label of each review, replayed.")
        stop_on_failure(curate("run", "-w", str(folder)))
    stop_on_failure(curate("verify", str(folder / "export")))
    mixture(folder)
    verdict(folder)
    say(f"the report        {folder / 'report.html'}")


def images(folder: Path) -> None:
    """Go from pictures to a mixture by kind and quality, through a real Label Studio."""
    shown = pictures.clipart(cache())
    truth = read(pictures.write_pictures(folder / "data", shown, SEED))
    say(f"The demo: {len(truth):,} clip-art pictures of five kinds (Debian's {pictures.PACKAGE}).")
    server = run_json("server", "start", "label_studio", "--json")
    tokens = {account["email"]: account["token"] for account in map(account_of, PEOPLE[:2])}
    if curate("run", str(_titled(folder)), "-w", str(folder)) == 3:
        say("Two accounts now answer at once: the names of the pictures' folders, over HTTP.")
        project = read(folder / "rounds/01/project.json")["batches"][0]["project"]
        answers = pictures.plan(tasks_of(folder), truth, list(tokens))
        (folder / "replayed.json").write_text(replay.as_json(answers), encoding="utf-8")
        asked = replay.Asked("subject", "image")
        seconds = replay.replay(project["server"], tokens, project["key"], answers, asked)
        say(f"{len(answers)} answers given in {seconds:.0f} s.")
        stop_on_failure(curate("run", "-w", str(folder)))
    stop_on_failure(curate("verify", str(folder / "export")))
    close(folder, server, "the names of folders, replayed twice, so agreement means nothing")


def _titled(folder: Path) -> Path:
    """The recipe, with a title of the report that says where labels come from."""
    recipe = (ROOT / "images.yaml").read_text(encoding="utf-8")
    path = folder.with_suffix(".yaml")
    path.write_text(recipe.replace("Clip art of five kinds", TITLE), encoding="utf-8")
    return path


def close(folder: Path, server: dict[str, Any], said: str = RATINGS) -> None:
    """Print the results, what the answers really were, and how to continue by hand."""
    mixture(folder)
    verdict(folder)
    account = run_json("server", "accounts", "list", "--json")["accounts"][0]
    project = read(folder / "rounds/01/project.json")["batches"][0]["project"]
    say("")
    say(f"The answers above are {said}: no person sat here.")
    say(f"the page          {project['url']}")
    say(f"  as a curator    {server['user']}  (password: curate server start label_studio)")
    say(f"  as an annotator {account['email']}  {account['password']}")
    say(f"the report        {folder / 'report.html'}")
    say(f"the mixture       {folder / 'export'}")
    say("label some yourself:")
    say(f"  export CURATE_HOME={os.environ.get('CURATE_HOME', '')}")
    options = "--next-round --set sample.n=20 --set push.overlap=1"
    say(f"  .venv/bin/curate run -w {folder} {options}")
    say("  … label in the page it names, then:")
    say(f"  .venv/bin/curate run -w {folder}")
    say("stop the server:  make stop")


def mixture(folder: Path) -> None:
    """Print the mixture as a table."""
    groups = read(folder / "export/manifest.json")["groups"]
    say(
        f"\n{'group':<22}{'wanted':>9}{'promised':>10}{'realised':>10}{'expected':>10}{'tokens':>9}"
    )
    for group in groups:
        shares = "".join(f"{group[name]:>10.2%}" for name in ("promised", "realised", "expected"))
        say(f"{group['group']:<22}{group['wanted']:>9.2%}{shares}{group['tokens']:>9,}")


def verdict(folder: Path) -> None:
    """Print what was gained by the run's own measures, what it cost, and what cannot be told."""
    evaluation = read(folder / "evaluate.json")
    gained, cost, unsure = [], [], []
    for question, own in evaluation["models"].items():
        if own is not None:
            right, trivial = own["accuracy"], own["trivial_accuracy"]
            words = (
                f"{question}: {right:.0%} of the labels predicted by models that did not see them"
            )
            words += f" (the commonest answer alone: {trivial:.0%})"
            (gained if right > trivial else unsure).append(words)
    for line in evaluation["story"]:
        is_better, is_worse = "): better than" in line, "): worse than" in line
        (gained if is_better else cost if is_worse else unsure).append(line)
    for title, lines in (
        ("What was gained, as this run measured it", gained),
        ("What it cost", cost),
        ("What it cannot tell", unsure),
    ):
        say(f"\n{title}:" if lines else "")
        for line in lines:
            say(f"  {line}")
    if evaluation["story"]:
        say(
            "\nPerplexity: how unsure a small model is of the next byte of a text. Lower is better."
        )
        say("What wins in a small run need not win in a large one.")


def account_of(name: str) -> dict[str, Any]:
    """Make an annotator's account, or read the one there is."""
    return run_json(
        "server", "accounts", "add", f"{name}@example.org", "--name", name.title(), "--json"
    )


def tasks_of(folder: Path) -> list[dict[str, Any]]:
    """Read the id and the text of the first round's tasks, as people saw them."""
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "rounds/01/texts.parquet").to_pylist()
    return [{"id": row["id"], **dict(json.loads(row["fields"]))} for row in rows]


def curate(*arguments: str) -> int:
    """Run the command line; the result is its exit code."""
    return subprocess.run([sys.executable, "-m", "curate", *arguments], check=False).returncode


def run_json(*arguments: str) -> dict[str, Any]:
    """Run the command line; the result is the JSON object that it prints."""
    command = [sys.executable, "-m", "curate", *arguments]
    process = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    stop_on_failure(process.returncode)
    return dict(json.loads(process.stdout))


def stop_on_failure(code: int) -> None:
    """Exit with the code of a command that failed."""
    if code:
        raise SystemExit(code)


def cache() -> Path:
    """The folder of downloaded packages."""
    return Path("runs/downloads").resolve()


def read(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


DEMOS = {"english": english, "chinese": chinese, "images": images}


if __name__ == "__main__":
    main()
