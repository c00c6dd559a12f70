"""Give every document a verdict and a reason. The text itself is never changed.

    pool ──clean──▶ clean

Four steps, a module each: *measure* every document (signals, edits, signatures), *decide* from the
measurements and the limits, settle the *near-duplicates* among the documents that passed, and
*write*. Signals are stored, and verdicts are computed from them. So a change of limits alone is
decided again without reading a text.
"""
