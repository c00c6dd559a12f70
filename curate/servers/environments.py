"""Private Python environments for servers, built once from a lock file with hashes.

An environment is keyed by the hash of its lock file and shared between homes. A virtual
environment cannot be moved, so it is built in its final place. `ready` is written last: an
environment without it was killed half-way and is built again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from curate.errors import ServerError
from curate.progress import Advance, Watch
from curate.servers.processes import held

HARMFUL = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")
"""Variables that would install packages, or search for them, outside the environment."""


@dataclass(frozen=True)
class Environment:
    """A built environment: its Python, and the template of the server's data."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter with the server's packages."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def template(self) -> Path:
        """The folder from which a new server's data are copied."""
        return self.folder / "template"

    @property
    def is_ready(self) -> bool:
        """Whether it was built to the end and its Python still exists."""
        return (self.folder / "ready").exists() and self.python.exists()


def build(
    name: str,
    lock: Path,
    environments: Path,
    *,
    finish: Callable[[Environment], None],
    watch: Watch,
) -> Environment:
    """The environment of a lock file; built if it is missing.

    `finish` gets the environment with its packages, and makes the template. Raises ServerError if
    the packages cannot be installed.
    """
    key = sha256(lock.read_bytes()).hexdigest()[:12]
    environment = Environment(environments / f"{name}-{key}")
    if environment.is_ready:
        return environment
    with held(environments / f".{name}-{key}.lock"):
        if not environment.is_ready:
            shutil.rmtree(environment.folder, ignore_errors=True)
            environment.folder.mkdir(parents=True)
            _install(environment, lock, watch)
            finish(environment)
            (environment.folder / "ready").touch()
    return environment


def _install(environment: Environment, lock: Path, watch: Watch) -> None:
    packages = len(re.findall(r"^\S+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    variables = {key: value for key, value in os.environ.items() if key not in HARMFUL}
    with watch(f"installing {environment.folder.name} (once)", packages) as advance:
        venv = environment.folder / "venv"
        _run([sys.executable, "-m", "venv", str(venv)], variables, advance)
        pip = [str(environment.python), "-m", "pip", "install", "--require-hashes", "--no-deps"]
        _run([*pip, "--no-compile", "--no-input", "-r", str(lock)], variables, advance)


def _run(command: Sequence[str], variables: Mapping[str, str], advance: Advance) -> None:
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Collecting "):
                advance(1)
    if process.returncode:
        raise ServerError(
            "the server's packages could not be installed:\n" + "".join(lines[-15:]).rstrip(),
            hint="see that pip reaches a package index; what was built so far is built again",
        )
