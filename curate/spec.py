"""`Spec`: the frozen, closed base of every recipe section, and the settings that stay unused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from curate.errors import RecipeError
from curate.names import near, suggestion
from curate.yamls import HUGE

AnySpec = TypeVar("AnySpec", bound="Spec")

Seed = Annotated[int, Field(ge=0, lt=HUGE)]
"""The seed of a random choice."""


Place = tuple[str | int, ...]
"""The keys and positions that lead to a setting."""


class Unused(NamedTuple):
    """A setting without effect: its place, and why it has none."""

    place: Place
    why: str

    @property
    def path(self) -> str:
        """The dotted path of the setting."""
        return ".".join(map(str, self.place))


@dataclass(frozen=True)
class UsedIf:
    """Marks a setting that has an effect only beside others; `why` says why it has none."""

    holds: Callable[[Any], bool]
    why: str


def used_with(*names: str, **values: str | tuple[str, ...]) -> UsedIf:
    """Marks a setting that is used only if one of the settings `names` is not its default.

    Or only if a setting has one of the `values`.
    """
    options = {name: (one,) if isinstance(one, str) else one for name, one in values.items()}

    def holds(spec: Spec) -> bool:
        return any(spec.differs(name) for name in names) or any(
            getattr(spec, name) in allowed for name, allowed in options.items()
        )

    wanted = [f"{name} {' or '.join(allowed)}" for name, allowed in options.items()]
    return UsedIf(holds, f"without {' or '.join((*names, *wanted))}")


def used_without(name: str) -> UsedIf:
    """Marks a setting that is not used beside another one."""
    return UsedIf(lambda spec: not spec.differs(name), f"beside {name}")


@dataclass(frozen=True)
class MayBePath:
    """Marks a setting that may name a file or folder; `is_path` says which values do.

    A path is relative to the workspace in a recipe, and to the current folder on a command line.
    """

    is_path: Callable[[str], bool]


PATH = MayBePath(lambda value: True)
"""Marks a setting that always names a file or folder."""


def path_if_suffix(suffix: str) -> MayBePath:
    """Marks a setting that names a file if it has that suffix."""
    return MayBePath(lambda value: value.endswith(suffix))


def path_unless_named(*names: str) -> MayBePath:
    """Marks a setting that names a path that is there, unless it is one of the names."""
    return MayBePath(lambda value: value not in names and Path(value).exists())


class Spec(BaseModel):
    """A stage's settings. Unknown keys are errors; defaults are tuples, never lists."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        _refuse_truth(value, cls.model_fields[str(info.field_name)].annotation)
        return value

    def differs(self, name: str) -> bool:
        """Whether a setting has another value than its default."""
        default = type(self).model_fields[name].get_default(call_default_factory=True)
        return bool(getattr(self, name) != default)

    def unused(self, place: Place = (), *, defaults: bool = False) -> Iterator[Unused]:
        """Yield the settings that were given and have no effect, with those of nested Specs.

        With `defaults`, also those that were not given.
        """
        for name, own in type(self).model_fields.items():
            if not defaults and name not in self.model_fields_set:
                continue
            marks = [mark for mark in own.metadata if isinstance(mark, UsedIf)]
            whys = [mark.why for mark in marks if not mark.holds(self)]
            if whys:
                yield Unused((*place, name), whys[0])
            else:
                yield from _unused_below(getattr(self, name), (*place, name), defaults)

    def settings(self) -> dict[str, Any]:
        """Every setting that has an effect, defaults included, as plain JSON values.

        They can be validated again.
        """
        settings = self.model_dump(mode="json")
        for place, _ in self.unused(defaults=True):
            *parents, last = place
            within: Any = settings
            for step in parents:
                within = within[step]
            del within[last]
        return settings


def _refuse_truth(value: Any, annotation: Any) -> None:
    """Raise ValueError for `true` or `false` where a number belongs: Python takes them for 1, 0."""
    kinds = set(_alternatives(annotation))
    if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
        raise ValueError(f"it should be a number, not {str(value).lower()}")
    if isinstance(value, Mapping):
        origins: dict[Any, Any] = {kind: get_origin(kind) for kind in kinds}
        mappings = [kind for kind, origin in origins.items() if origin is dict]
        for inner, kind in product(value.values(), mappings):
            _refuse_truth(inner, get_args(kind)[1])


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, without what annotates them."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _alternatives(parts[0])
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _alternatives(part)
    else:
        yield annotation


def _unused_below(value: Any, place: Place, defaults: bool) -> Iterator[Unused]:
    if isinstance(value, Spec):
        yield from value.unused(place, defaults=defaults)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _unused_below(item, (*place, number), defaults)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unused_below(item, (*place, key), defaults)


def refuse_unused(
    spec: Spec, *, where: str, only: Callable[[Place], bool] = lambda place: True
) -> None:
    """Raise RecipeError for the first setting that was given and has no effect.

    `only` says which places are looked at.
    """
    for setting in filter(lambda setting: only(setting.place), spec.unused()):
        raise RecipeError(
            f"{where}: {setting.path} has no effect {setting.why}",
            hint="leave it out, or add what it needs",
        )


def validated(model: type[AnySpec], data: Any, *, where: str) -> AnySpec:
    """Validate `data` against `model`; `where` is the file or command named in the error.

    Raises RecipeError with the first three faults.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = _first_causes(error.errors())
        complaints: dict[str, list[str]] = {}
        for fault in faults:
            complaints.setdefault(_path(fault, data), []).append(_complaint(fault))
        lines = [
            ": ".join(filter(None, (where, path, ", or ".join(dict.fromkeys(told)))))
            for path, told in complaints.items()
        ]
        hints = (_meant(model, fault) for fault in faults)
        raise RecipeError(
            "; ".join(lines[:3]), hint=next(filter(None, hints), _EVERY_KEY)
        ) from None


_EVERY_KEY = "`curate recipe schema` prints every key, and what it takes"

_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "it is missing",
    "tuple_type": "it should be a list, as in [a, b]",
    "dict_type": "it should be a mapping, as in {key: value}",
    "model_type": "it should be a mapping, as in {key: value}",
    "int_parsing": "it should be a whole number",
    "int_from_float": "it should be a whole number",
    "int_type": "it should be a whole number",
    "float_parsing": "it should be a number",
    "float_type": "it should be a number",
    "too_short": "it is empty",
    "string_too_short": "it is empty",
    "invalid_key": "a key should be a string: quote it",
    "string_type": "it should be a string: quote it",
}
"""What pydantic says in Python's words, as a person who writes YAML says it."""


def _first_causes(faults: list[Any]) -> list[Any]:
    """The faults, without a list that is too short only because its items are faulty."""
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(fault["loc"])
            and other["loc"][: len(fault["loc"])] == fault["loc"]
            for other in faults
        )
    ]


def _path(fault: Any, data: Any) -> str:
    """The dotted path of a fault, empty for the whole.

    Of a union, pydantic's path also holds types, which are no keys.
    """
    keys = []
    for part in fault["loc"]:
        is_key = isinstance(data, Mapping) and (part in data or fault["type"] == "missing")
        is_place = isinstance(data, list | tuple) and isinstance(part, int)
        if is_key or is_place:
            keys.append(str(part))
            data = data.get(part) if is_key else data[part]
    return ".".join(keys)


def _complaint(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return _WORDS.get(fault["type"], f"{message[:1].lower()}{message[1:]}")


def _meant(model: type[BaseModel], fault: Any) -> str:
    """The hint for a misspelt key or word; empty for another fault, or if nothing is like it."""
    *path, last = fault["loc"] or ("",)
    if fault["type"] == "extra_forbidden":
        known, written = list(_keys_at(model, path)), str(last)
    elif fault["type"] == "literal_error":
        known, written = fault["ctx"]["expected"].replace("'", "").split(" or "), fault["input"]
        known = [name for part in known for name in part.split(", ")]
    else:
        return ""
    return suggestion(str(written), known) if near(str(written), known) else ""


def _keys_at(annotation: Any, path: list[Any]) -> Iterator[str]:
    """Yield the keys of the models at a place within a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            yield from annotation.model_fields
        elif path[0] in annotation.model_fields:
            yield from _keys_at(annotation.model_fields[path[0]].annotation, path[1:])
        return
    for part in get_args(annotation):
        inner = isinstance(part, type) and issubclass(part, BaseModel)
        steps_in = (
            inner and path and not (isinstance(path[0], str) and path[0] in part.model_fields)
        )
        yield from _keys_at(part, path[1:] if steps_in else path)
