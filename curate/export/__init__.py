"""Write the mixture for training: shuffled shards, labels beside the text, manifest last.

    mix · groups · labels · scores ──export──▶ export/

The weights are already in the copies: read the shards once, in order.
"""
