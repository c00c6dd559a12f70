"""How long `curate --help`, a completion and `curate status` take, beside typer and rich alone.

Each is a fresh process, and figures are its processor seconds, the least of six: on a machine with
nothing else to do that is the time that passes. Writes results/starting.json. The bound is 2.5
times typer and rich alone for `--help`, 0.3 s for completions.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys

from tests.benchmarks.setting import write

REPEATS = 6
ALONE = (
    "import typer, rich.console\n"
    "app = typer.Typer(add_completion=False, rich_markup_mode=None)\n"
    "@app.command()\n"
    "def one(): 'One.'\n"
    "@app.command()\n"
    "def two(): 'Two.'\n"
    "rich.console.Console(stderr=True)\n"
    "app(['--help'])\n"
)
CURATE = "from curate.cli import main; import sys; sys.argv[0] = 'curate'; main()"
COMPLETED = ("curate ", "curate init --template ", "curate forms show ", "curate round close ")


def main() -> None:
    """Time each start and write what was found."""
    alone, help_ = best([ALONE]), best([CURATE, "--help"])
    completions = {words: best([CURATE], completing(words)) for words in COMPLETED}
    write(
        "starting",
        {
            "typer_and_rich_seconds": alone,
            "help_seconds": help_,
            "help_ratio": help_ / alone,
            "completion_seconds": completions,
            "status_help_seconds": best([CURATE, "status", "--help"]),
            "mix_help_seconds": best([CURATE, "mix", "--help"]),
        },
        seeds=(0,),
    )


def completing(words: str) -> dict[str, str]:
    """What bash sets to ask for completions of the last word."""
    place = str(len(words.split(" ")) - 1)
    return {"_CURATE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}


def best(code: list[str], environment: dict[str, str] | None = None) -> float:
    """The least processor seconds of a fresh Python that runs some code with arguments."""
    return min(once(code, environment or {}) for _ in range(REPEATS))


def once(code: list[str], environment: dict[str, str]) -> float:
    """The processor seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", *code],
        check=False,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
