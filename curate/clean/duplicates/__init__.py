"""Near-duplicates: MinHash signatures, LSH candidates, verified Jaccard similarity.

    signatures ──by band──▶ pairs ──by document──▶ distinct pairs ──by group──▶ verified ──▶ gone
    minhash                 pairing                                 comparing              settling

Signatures are a cache; only a verified pair counts. Hashes and places are shuffled, never text;
beside one bucket a worker, memory holds some 70 bytes for each pair that is alike.
"""
