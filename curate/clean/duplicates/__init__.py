"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

    signatures ──by band──▶ pairs ──by document──▶ distinct pairs ──by group──▶ verified ──▶ gone
    minhash                 pairing                                 comparing              settling

Signatures are a cache; only a verified pair counts. Hashes and places are shuffled, never text.
Memory holds one bucket a worker, and some 70 bytes for each pair that is alike.
"""
