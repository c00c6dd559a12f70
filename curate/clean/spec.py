"""The settings of `clean`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator, model_serializer, model_validator

from curate.clean.detecting import MINIMUM, primary
from curate.clean.duplicates.spec import (
    ComparingSpec,
    NearMediaSpec,
    NearSpec,
    PassagesSpec,
    SemanticSpec,
)
from curate.clean.instruments.contamination import ContaminationSpec
from curate.clean.instruments.language import TAG, LanguageSpec
from curate.clean.instruments.licenses import LicenseSpec
from curate.clean.instruments.privacy.instrument import PrivacySpec
from curate.clean.instruments.relevance import RelevanceSpec
from curate.clean.rules.c4 import C4Spec
from curate.clean.rules.clip import ClipSpec
from curate.clean.rules.image import ImageSpec
from curate.clean.rules.lines import LinesSpec
from curate.clean.rules.norms import norms
from curate.clean.rules.registry import RULES, RuleName, Rules, named
from curate.clean.rules.signals import Range
from curate.names import near
from curate.spec import PATH, Spec, UsedIf, used_with


class Limit(Spec):
    """Other limits of a signal. A side that is not named stays as it is; null removes it."""

    min: Annotated[float | None, Field(description="Smallest value that passes.")] = None
    max: Annotated[float | None, Field(description="Largest value that passes.")] = None

    @model_serializer
    def _named(self) -> dict[str, float | None]:
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}

    def instead_of(self, bounds: Range) -> Range:
        """The range, its sides replaced by those that are named here."""
        sides = self.model_fields_set
        return self.min if "min" in sides else bounds[0], self.max if "max" in sides else bounds[1]


def _used_by(rule: RuleName) -> UsedIf:
    """Marks the settings of a rule set, which have an effect only if `rules` names it."""
    return UsedIf(lambda spec: rule in named(spec.rules), f"without the set {rule} in `rules`")


class CleanSpec(Spec):
    """What `clean` measures, and what it decides from the measurements."""

    rules: Annotated[
        Rules, Field(description="Rule sets, in order, or source → its own; `*` is all others.")
    ] = ("length",)
    limits: dict[str, Limit] = Field(
        default_factory=dict, description="Other limits, as in `length:words: {min: 5}`."
    )
    rules_language: Annotated[
        str | None,
        Field(description="Language in which rule sets judge all documents; null: each its own."),
    ] = None
    lines: Annotated[
        LinesSpec, _used_by("lines"), Field(description="How sure the set `lines` must be.")
    ] = LinesSpec()
    c4: Annotated[
        C4Spec, _used_by("c4"), Field(description="How the set `c4` looks at lines and words.")
    ] = C4Spec()
    image: Annotated[
        ImageSpec, _used_by("image"), Field(description="What the set `image` takes for granted.")
    ] = ImageSpec()
    clip: Annotated[
        ClipSpec | None, _used_by("clip"), Field(description="The model of the set `clip`.")
    ] = None
    near_duplicates: Annotated[
        Annotated[float, Field(ge=0.5, le=1)] | NearSpec | None,
        Field(description="Jaccard similarity from which one of two documents is dropped."),
    ] = None
    against: Annotated[
        tuple[str, ...],
        PATH,
        Field(
            description="Older corpora (runs, exports, files) whose near-duplicates are dropped."
        ),
    ] = ()
    near_media: Annotated[
        NearMediaSpec | None,
        Field(description="Similarity from which one of two images, sounds or films is dropped."),
    ] = None
    semantic: Annotated[
        SemanticSpec | None, Field(description="Similarity in meaning from which one is dropped.")
    ] = None
    passages: Annotated[
        PassagesSpec | None,
        Field(description="Words from which a repeat in another document is removed, as in 50."),
    ] = None
    languages: Annotated[
        tuple[str, ...] | dict[str, tuple[str, ...]] | None,
        Field(description="Languages that pass, or source → its own, `*` others; {} detects."),
    ] = None
    language_confidence: Annotated[
        float,
        used_with("languages"),
        Field(ge=0, le=1, description="Below it a detected language is `und`."),
    ] = MINIMUM
    licenses: Annotated[
        tuple[str, ...] | None, Field(description="SPDX names that pass; `CC-BY-*` names several.")
    ] = None
    privacy: Annotated[
        PrivacySpec | None, Field(description="`mask`, or kind → flag, mask or drop.")
    ] = None
    contamination: Annotated[
        ContaminationSpec | None, Field(description="Evaluation sets that are looked for.")
    ] = None
    relevance: Annotated[
        RelevanceSpec | None, Field(description="Texts that documents should be like.")
    ] = None

    @field_validator("rules", mode="before")
    @classmethod
    def _rules_as_written(cls, rules: Any) -> Any:
        """Read one set as a list of one. Say in one line what is no list of sets."""
        by_source = rules if isinstance(rules, dict) else {"": rules}
        lists = {
            source: (names,) if isinstance(names, str) else names
            for source, names in by_source.items()
        }
        for names in lists.values():
            if not isinstance(names, list | tuple):
                raise ValueError("it is a list of sets, or source → list")
            for name in names:
                if not isinstance(name, str) or name not in RULES:
                    meant = near(str(name), RULES)
                    also = f" (did you mean {meant}?)" if meant else ""
                    raise ValueError(f"no set {name}; there are {', '.join(RULES)}{also}")
                if (n := names.count(name)) > 1:
                    raise ValueError(f"the set {name} appears {n} times")
        return lists if isinstance(rules, dict) else lists[""]

    @field_validator("rules_language")
    @classmethod
    def _a_language_with_a_norm(cls, language: str | None) -> str | None:
        if language is not None and primary(language) not in norms():
            raise ValueError(f"no rule set fits {language}; they fit {', '.join(sorted(norms()))}")
        return language

    @field_validator("languages", mode="before")
    @classmethod
    def _languages_as_written(cls, languages: Any) -> Any:
        """Read one language as a list of one."""
        if isinstance(languages, dict):
            return {source: cls._languages_as_written(tags) for source, tags in languages.items()}
        tags = [languages] if isinstance(languages, str) else languages
        if not isinstance(tags, list | tuple):
            return languages
        for tag in tags:
            if isinstance(tag, str) and not TAG.fullmatch(tag):
                raise ValueError(f"{tag} is not a language tag such as en, zh-Hant or und")
        return tags

    @model_validator(mode="after")
    def _a_model_for_clip(self) -> CleanSpec:
        if "clip" in named(self.rules) and self.clip is None:
            raise ValueError("the set clip needs a model: give `clip: {model: PATH}`")
        return self

    @model_validator(mode="after")
    def _against_by_a_threshold(self) -> CleanSpec:
        if self.against and self.near is None and self.near_media is None:
            raise ValueError(
                "against needs near_duplicates, the similarity from which one is dropped"
            )
        if self.against and self.near and (self.near.within or self.near.fields):
            raise ValueError(
                "against has whole texts without a source: leave it out, or `within` and `fields` "
                "of near_duplicates"
            )
        return self

    @property
    def near(self) -> NearSpec | None:
        """How near-duplicates are compared by their words; a number is the similarity alone."""
        if isinstance(self.near_duplicates, float):
            return NearSpec(similarity=self.near_duplicates)
        return self.near_duplicates

    def comparing(self) -> list[tuple[str, ComparingSpec]]:
        """The sections that compare documents with each other, by their names."""
        sections = (
            ("near_duplicates", self.near),
            ("near_media", self.near_media),
            ("semantic", self.semantic),
            ("passages", self.passages),
        )
        return [(name, how) for name, how in sections if how is not None]

    @property
    def language(self) -> LanguageSpec | None:
        """The settings of the instrument `language`."""
        if self.languages is None:
            return None
        return LanguageSpec(allow=self.languages, minimum=self.language_confidence)

    @property
    def license(self) -> LicenseSpec | None:
        """The settings of the instrument `license`."""
        return None if self.licenses is None else LicenseSpec(allow=self.licenses)
