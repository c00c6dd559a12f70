"""Language detection on 17 languages of web text that people have checked.

    python -m tests.benchmarks.language

Accuracy per language over the texts whose language people confirmed, beside a trivial baseline: the
commonest language of the text's script. Confidence: what becomes unknown below the default, and how
often the rest is right; shorter cuts of the same texts; and documents per second on one core.
"""

import sys
import time
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from curate.clean import detecting
from tests.benchmarks import setting

DATA = Path("../shared/data/hplt_web_quality/docs.parquet")
CODES = {
    **{"ara": "ar", "ben": "bn", "cat": "ca", "ces": "cs", "deu": "de", "ell": "el"},
    **{"fin": "fi", "gla": "gd", "hin": "hi", "mar": "mr", "nld": "nl", "nno": "nn"},
    **{"nob": "no", "pol": "pl", "rus": "ru", "slk": "sk", "spa": "es"},
}


def main():
    import pandas as pd

    if not DATA.exists():
        sys.exit(f"skipped: {DATA} is absent")
    data = pd.read_parquet(DATA)
    confirmed = data["lang_ok"].fillna(False).astype(bool)
    known = data[confirmed]
    truth = known["lang"].str[:3].map(CODES).to_numpy()
    texts = known["text"].tolist()
    began = time.process_time()
    found = detecting.detect(texts)
    seconds = time.process_time() - began
    tags = np.array([tag for tag, _ in found])
    sure = np.array([confidence for _, confidence in found]) >= detecting.MINIMUM
    trivial = by_script(texts, truth)
    wrong = data[data["lang_ok"].notna() & ~confirmed]
    flagged = [tag for tag, _ in detecting.detect(wrong["text"])]
    setting.write(
        "language",
        {
            "texts": len(texts),
            "docs_per_second_one_core": round(len(texts) / seconds),
            "characters": round(float(np.mean([len(text) for text in texts]))),
            "accuracy": {
                "model": per_language(tags, truth),
                "script": per_language(trivial, truth),
            },
            "macro": {"model": macro(tags, truth), "script": macro(trivial, truth)},
            "unknown_below": detecting.MINIMUM,
            "unknown": round(float((~sure).mean()), 4),
            "macro_of_the_known": macro(tags[sure], truth[sure]),
            "cuts": {size: cut(texts, truth, size) for size in (20, 40, 80, 160, 400)},
            "said_by_people_to_be_another_language": {
                "texts": len(wrong),
                "model_says_so_too": int(
                    (np.array(flagged) != wrong["lang"].str[:3].map(CODES).to_numpy()).sum()
                ),
            },
        },
    )


def per_language(tags, truth):
    return {code: round(float((tags[truth == code] == code).mean()), 3) for code in CODES.values()}


def macro(tags, truth):
    present = sorted(set(truth))
    return round(float(np.mean([(tags[truth == code] == code).mean() for code in present])), 4)


def cut(texts, truth, size):
    """Return macro accuracy on `size` characters from inside each text, and what is unknown."""
    found = detecting.detect([text[200 : 200 + size] for text in texts])
    tags = np.array([tag for tag, _ in found])
    sure = np.array([confidence for _, confidence in found]) >= detecting.MINIMUM
    return {
        "macro": macro(tags, truth),
        "unknown": round(float((~sure).mean()), 3),
        "macro_of_the_known": macro(tags[sure], truth[sure]),
    }


def by_script(texts, truth):
    """Return the commonest language, in this very set, of each text's commonest script."""
    scripts = [script(text) for text in texts]
    counts = defaultdict(Counter)
    for name, code in zip(scripts, truth, strict=True):
        counts[name][code] += 1
    return np.array([counts[name].most_common(1)[0][0] for name in scripts])


def script(text):
    names = (unicodedata.name(c, "").split(" ")[0] for c in text[:300] if c.isalpha())
    return Counter(names).most_common(1)[0][0]


if __name__ == "__main__":
    main()
