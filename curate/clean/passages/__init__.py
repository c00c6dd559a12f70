"""Passages: runs of at least N words that stand in several documents.

    anchors ──by hash──▶ shared ──by document──▶ windows ──by hash──▶ repeats ──by document──▶ runs

Every run of N words (a *window*) holds an *anchor*: the run of fewer words with the smallest hash
in it (winnowing: Schleimer, Wilkerson and Aiken 2003). Equal windows hold equal anchors. So only
the anchors of a corpus are shuffled, one for some 13 words, and windows only where an anchor stands
in two documents. A window counts if its 128-bit hash does. So all passages are found, whatever the
shards, and a worker holds one bucket.
"""
