"""All sentences of the page, by key: (English, Chinese)."""

from curate.report.words import corpus, mixture, model, page, people

SENTENCES: dict[str, tuple[str, str]] = {
    **page.WORDS,
    **corpus.WORDS,
    **people.WORDS,
    **model.WORDS,
    **mixture.WORDS,
}
