"""Write the mixture for training: shuffled shards, labels beside the text, manifest last.

    mix · groups · labels · scores ──export──▶ export/

Weights are spent: the shards are read once, in order.
"""
