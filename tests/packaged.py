"""`python -m tests.packaged PYTHON [wheel|sdist]`: an empty environment, and a run in it.

Builds the package, installs it without extras into a fresh environment of that Python, says how
large it is, and runs the offline recipe on 120 texts with the encoder `chargram`: to a mixture, an
export that `verify` passes, and a report. Prints a JSON object with what was measured.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
LARGEST = 1000
"""The megabytes that an environment without extras may have."""


def main() -> None:
    """Build, install, run; an assertion fails where something is not as promised."""
    python, kind = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "wheel"
    with tempfile.TemporaryDirectory(prefix="curate-packaged-") as name:
        folder = Path(name)
        package = build(folder, kind)
        started = time.monotonic()
        run(python, "-m", "venv", folder / "env")
        run(folder / "env/bin/pip", "install", "-q", package, cwd=folder)
        facts = {
            "python": run(folder / "env/bin/python", "-V").strip(),
            "package": package.name,
            "seconds": round(time.monotonic() - started),
            "megabytes": megabytes(folder / "env"),
            "packages": len(json.loads(run(folder / "env/bin/pip", "list", "--format", "json"))),
        }
        print(json.dumps(facts), flush=True)
        facts |= loop(folder / "env/bin/curate", folder / "my-run")
        print(json.dumps(facts, indent=2))
        assert facts["megabytes"] < LARGEST, facts


def build(folder: Path, kind: str) -> Path:
    """The built wheel or sdist."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder / "dist", cwd=ROOT)
    (package,) = (folder / "dist").iterdir()
    return package


def loop(curate: Path, folder: Path) -> dict[str, object]:
    """Run the offline recipe from texts to a verified export, and say what it made."""
    run(curate, "init", folder, "--template", "offline")
    texts = [text_of(number) for number in range(120)]
    rows = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / "data" / "walks.jsonl").write_text(rows, encoding="utf-8")
    options = ("-w", folder, "--set", "encoder=chargram", "--set", "sample.n=40")
    assert code(curate, "run", *options) == 3
    lines = (folder / "rounds/01/tasks.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [answer(json.loads(line)) for line in lines]
    (folder / "rounds/01/answers.jsonl").write_text("\n".join(answers) + "\n", encoding="utf-8")
    options = ("-w", folder, "--set", "encoder=chargram")
    assert code(curate, "run", *options) == 0
    run(curate, "verify", folder / "export")
    needs = subprocess.run(
        [str(curate), "score", "-w", str(folder), "--encoder", "minilm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert needs.returncode == 1, needs
    assert "pip install 'curate[embeddings]'" in needs.stderr, needs.stderr
    manifest = json.loads((folder / "export/manifest.json").read_text(encoding="utf-8"))
    report = (folder / "report.html").stat().st_size
    lines = sum(file["documents"] for file in manifest["files"])
    return {"lines": lines, "report_kilobytes": report // 1024}


THINGS = (
    *("apple", "boat", "candle", "door", "engine", "flute", "garden", "hammer", "island", "jacket"),
    *("kettle", "ladder", "mirror", "needle", "orchard", "pencil", "quilt", "river", "saddle"),
)


def text_of(number: int) -> str:
    """One text of 120, half of them of one opinion, half of the other."""
    words = ("wonderful", "lovely", "delightful") if number % 2 else ("dreadful", "awful", "dull")
    draw = random.Random(number)
    said = ", ".join(f"the {thing} {draw.choice(words)}" for thing in draw.sample(THINGS, 8))
    return f"On day {number} we found {said}, and {draw.choice(THINGS)} number {number} as well."


def answer(task: dict[str, str]) -> str:
    """The answer to a task, as a line of answers.jsonl."""
    good = any(word in task["text"] for word in ("wonderful", "lovely", "delightful"))
    value = "positive" if good else "negative"
    row = {"id": task["id"], "question": "sentiment", "annotator": "me", "value": value}
    return json.dumps(row)


def megabytes(folder: Path) -> int:
    """The size of a folder, without pip itself and compiled bytecode."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    own = (path for path in files if not {"pip", "__pycache__"} & set(path.parts))
    return round(sum(path.stat().st_size for path in own) / 1e6)


def code(*line: object) -> int:
    """Run a command; its exit code."""
    return subprocess.run([*map(str, line)], check=False).returncode


def run(*line: object, cwd: Path | None = None) -> str:
    """Run a command that must succeed; what it prints."""
    done = subprocess.run([*map(str, line)], check=True, stdout=subprocess.PIPE, text=True, cwd=cwd)
    return done.stdout


if __name__ == "__main__":
    main()
