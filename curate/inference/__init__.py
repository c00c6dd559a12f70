"""What a sample says about all: means and shares with intervals, from labels and predictions.

`estimate` is the value, `design` estimates from labels alone, `powered` from labels and predictions
together. `groups` is about groups of documents and about a draw, `joint` reads votes together with
a head. Arrays in, values out: nothing here knows a workspace.

Everywhere: `weights` are design weights, the number of documents that a labelled one stands for (1
/ propensity, corrected for those who did not answer). `variances` are those of a label itself,
given its votes. `predicted` of a labelled document comes from a head that never saw its label.
"""
