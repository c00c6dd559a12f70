"""`curate` in a process of its own, which may kill itself at a named moment.

Processes are forked from one that has imported all of it, so that a run costs what it does.
"""

import importlib
import multiprocessing
import os
import pathlib
import signal
import sys

import altair  # noqa: F401
import numpy  # noqa: F401
import pandas  # noqa: F401
import pyarrow.dataset
import pyarrow.parquet  # noqa: F401
import scipy.optimize  # noqa: F401
import sklearn.decomposition
import sklearn.feature_extraction.text  # noqa: F401
import vl_convert

import curate.embed.vectors
import curate.run.stages
from curate import cli

NEVER = ("-", "-", 0)


def undrawn(spec):
    """What stands in a report for a chart that nobody looks at."""
    return "<svg></svg>"


UNDRAWN = {(vl_convert.__name__, "vegalite_to_svg"): undrawn}
"""For `constants`: charts are left undrawn, which takes much of the time of a report."""


def run(arguments, log, *, kill=NEVER, constants=None):
    """Run `curate ARGUMENTS`; what it says goes into the file `log`. Return its exit code.

    `kill` is (module, function or Class.method, n): it dies by SIGKILL at the n-th call of that
    function; with "file" for the module, when the n-th file takes its place whose path ends so.
    `constants` maps (module, name) to the value that it has there.
    """
    process = start(arguments, log, kill=kill, constants=constants)
    process.join()
    return process.exitcode


def start(arguments, log, *, kill=NEVER, constants=None):
    """Start what `run` runs; return its process."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([__name__])
    pathlib.Path(log).touch()
    line = [str(argument) for argument in arguments]
    given = (line, dict(os.environ), log, kill, constants or {})
    process = forks.Process(target=_main, args=given)
    process.start()
    return process


def _main(arguments, environment, log, kill, constants):
    os.environ.clear()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    curate.embed.vectors.BLOCK = 32
    for (module, name), value in constants.items():
        setattr(importlib.import_module(module), name, value)
    if kill[0] != "-":
        _arm(*kill)
    sys.argv = ["curate", *arguments]
    cli.main()


def _arm(where, name, nth):
    file = where == "file"
    place = pathlib.Path if file else importlib.import_module(where)
    *owners, called = ["replace"] if file else name.split(".")
    for owner in owners:
        place = getattr(place, owner)
    whole, count = getattr(place, called), 0

    def deadly(*arguments, **named):
        nonlocal count
        count += not file or str(arguments[1]).endswith(name)
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments, **named)

    setattr(place, called, deadly)
