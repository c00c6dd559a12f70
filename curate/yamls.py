"""YAML: what people write in recipes, people.yaml and `--set`, and what curate writes itself."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from math import inf
from typing import Any

from curate.errors import RecipeError

HUGE = 1 << 63
"""No setting needs a number from here on, and no table holds one."""


class _RefusedError(Exception):
    """What is YAML, and yet refused: a complaint, a hint, and the line that it is about."""

    def __init__(self, complaint: str, hint: str, node: Any) -> None:
        super().__init__(complaint)
        self.hint = hint
        self.line = node.start_mark.line + 1


def parse(text: str | bytes, where: str, *, hint: str = "") -> Any:
    """The value of a YAML text, in UTF-8 if it is bytes; `where` names it in errors.

    Raises RecipeError if the text is not YAML, repeats a key, or holds a number beyond 64 bits.
    """
    import yaml

    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(f"{where} is not in UTF-8", hint="save it as UTF-8") from None
    try:
        return yaml.load(decoded, Loader=_strict_loader())
    except _RefusedError as error:
        raise RecipeError(f"{where}, line {error.line}: {error}", hint=error.hint) from None
    except RecursionError:
        raise RecipeError(f"{where}: not YAML: nested too deeply", hint=hint) from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, where, hint) from None
    # The constructors of dates, numbers and binaries raise what Python's own do.
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError) as error:
        complaint = " ".join(str(error).split())
        raise RecipeError(f"{where}: not YAML: {complaint}", hint=hint) from None


def _not_yaml(error: Any, where: str, hint: str) -> RecipeError:
    """The error of a text whose place is known at which it stops to be YAML."""
    mark = error.problem_mark or error.context_mark
    line = f", line {mark.line + 1}" if mark else ""
    complaint = ", ".join(filter(None, (error.context, error.problem)))
    is_tab = "'\\t'" in complaint
    return RecipeError(
        f"{where}{line}: not YAML: {complaint}",
        hint="indent by spaces: YAML does not allow tabs" if is_tab else hint,
    )


MOST_WRITTEN_OUT = 1 << 20
"""The characters and values by which aliases may make a document longer than its text."""


def _written_out(node: Any, known: dict[int, float]) -> float:
    """The characters and values of a node with each alias written out; infinite for a cycle."""
    if id(node) not in known:
        known[id(node)] = inf
        parts = node.value if isinstance(node.value, list) else []
        nodes = chain.from_iterable(part if isinstance(part, tuple) else (part,) for part in parts)
        own = len(node.value) if isinstance(node.value, str) else 1
        known[id(node)] = own + sum(_written_out(part, known) for part in nodes)
    return known[id(node)]


_TRUTH = "tag:yaml.org,2002:bool"


def fast_loader() -> Any:
    """The loader of libyaml, where it is installed: three times as fast, in fewer words."""
    import yaml

    return _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def _loader(base: Any) -> Any:
    """A SafeLoader whose only truth values are `true` and `false`, as in YAML 1.2.

    To YAML 1.1 `no` is false, and no language.
    """
    import yaml

    class Loader(base):  # type: ignore[misc]
        """A SafeLoader without `yes`, `no`, `on` and `off`, and without bombs of aliases."""

        def construct_document(self, node: Any) -> Any:
            """The value of a document. YAMLError if its aliases expand to too much."""
            if _written_out(node, {}) > MOST_WRITTEN_OUT + node.end_mark.index:
                raise yaml.YAMLError("its aliases expand to too much")
            return super().construct_document(node)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TRUTH]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    truth = re.compile("(true|True|TRUE|false|False|FALSE)$")
    Loader.add_implicit_resolver(_TRUTH, truth, [*"tTfF"])
    return Loader


@cache
def _strict_loader() -> Any:
    import yaml

    class Loader(_loader(yaml.SafeLoader)):  # type: ignore[misc]
        """A loader that refuses a key that stands twice: YAML's own keeps the last one."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            """The mapping of a node."""
            keys: set[str] = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        raise _RefusedError(
                            f"{key.value} appears twice", "leave one of them out", key
                        )
                    keys.add(key.value)
            return super().construct_mapping(node, deep=deep)

        def construct_yaml_int(self, node: Any) -> int:
            """The whole number of a node."""
            number: int = super().construct_yaml_int(node)
            if abs(number) >= HUGE:
                raise _RefusedError(
                    f"{number:.3g} is too large a number", "numbers end below 2 to the 63rd", node
                )
            return number

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader


def text_of(value: Any) -> str:
    """A value of JSON as YAML, in which a string is a string for every version of YAML.

    YAML 1.1 takes `no` and `12:30` for something else, and YAML 1.2 `1e3` and `0o7`.
    """
    return _dumped(value)


def inline(value: Any) -> str:
    """A value of JSON as YAML on one line."""
    return _dumped([value], default_flow_style=True, width=1 << 30).strip()[1:-1]


TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""What turns a line around, for a class of a pattern: who reads the text would see another."""

_TURNING = re.compile(f"[{TURNING}]")


def _dumped(value: Any, **how: Any) -> str:
    """A value as YAML; if a character in it turns lines around, nothing but ASCII."""
    import yaml

    how |= {"Dumper": _dumper(), "sort_keys": False}
    text: str = yaml.dump(value, allow_unicode=True, **how)
    return yaml.dump(value, allow_unicode=False, **how) if _TURNING.search(text) else text


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """A SafeDumper that also quotes what is no string in YAML 1.2 alone."""

    number = re.compile(r"[-+]?(0o[0-7]+|(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?)$|[yYnN]$")
    Dumper.add_implicit_resolver("tag:yaml.org,2002:float", number, [*"-+.0123456789yYnN"])
    return Dumper
