"""What the process of which workers are forks imports first: `local.py` names this module.

A library of numbers reads how many threads it may have when it is loaded, and a fork of a process
with threads can deadlock.
"""

from curate.engine.lean import keep_pandas_away
from curate.engine.threads import one_each

one_each()
keep_pandas_away()
