"""What the labels say of the whole corpus: shares and means with their intervals.

labels · rounds · pool · clean · scores ──estimate──▶ estimates.json

`run` reads and writes, `answers` are the labels of a question, `reading` folds the documents, and
`measuring` computes the rows. It is a command and no stage: nothing depends on it.
"""
