"""What do the norms of languages keep of web text that people judged?

    python -m tests.benchmarks.norms

On hplt_web_quality (web extracts of about 1,000 characters in 17 languages): the share of texts
that people found natural, and of those they found unnatural, that a rule set keeps by the limits of
its English paper, and by the norm of the language; None where there is no norm, so that all pass.
"""

import sys
from collections import defaultdict
from pathlib import Path

from curate.clean.deciding import outside
from curate.clean.detecting import primary
from curate.clean.measuring import measure_documents
from curate.clean.rules import c4
from curate.clean.rules.features import Features
from curate.clean.rules.norms import norms
from curate.clean.rules.registry import RULES
from tests.benchmarks import setting

DATA = Path("../shared/data/hplt_web_quality/docs.parquet")
SETS = ("gopher_quality", "fineweb", "c4")


def main():
    """Measure every language of the set, and write the figures."""
    import pandas as pd

    if not DATA.exists():
        sys.exit(f"skipped: {DATA} is absent")
    rows = pd.read_parquet(DATA)
    rows = rows[rows.lang_ok.astype(bool)]
    texts = defaultdict(lambda: ([], []))
    for lang, unnatural, text in zip(rows.lang, rows.unnatural, rows.text, strict=True):
        texts[primary(lang)][bool(unnatural)].append(text)
    setting.write("norms", {language: kept(language, *both) for language, both in texts.items()})


def kept(language, natural, unnatural):
    """Return the shares that each set keeps of natural and unnatural texts, both ways."""
    figures = {"natural": len(natural), "unnatural": len(unnatural)}
    for name in SETS:
        figures[name] = {"english": shares(name, "en", natural, unnatural)}
        known = language in norms()
        figures[name]["own"] = shares(name, language, natural, unnatural) if known else None
    return figures


def shares(name, language, *groups):
    """Return the share of each group of texts that a set keeps by the norm of a language."""
    rule = RULES[name]
    prepared = c4.Prepared() if name == "c4" else None
    own = norms()[language].limits
    ranges = [own.get(f"{name}:{key}", signal.range) for key, signal in rule.signals.items()]
    result = []
    for texts in groups:
        documents = [Features(text, language) for text in texts]
        values, _ = measure_documents(documents, [(rule, prepared)])
        columns = zip(values.astype("float32").T, ranges, strict=True)
        failed = sum(outside(column, bounds) for column, bounds in columns) > 0
        result.append(round(float(1 - failed.mean()), 3) if len(texts) else None)
    return result


if __name__ == "__main__":
    main()
