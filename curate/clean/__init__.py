"""Give every document a verdict and a reason; the text itself is never changed.

    pool ──clean──▶ clean

Four steps, each in a module of its own: *measure* every document (signals, edits, signatures),
*decide* from what was measured and the limits, settle the *near-duplicates* among what passed, and
write. Signals are stored and verdicts derive from them: where nothing that is measured has changed,
another limit decides again without reading a text.
"""
