"""A small transformer as a proxy.

    texts ──tokenizing──▶ tokens ──windows──▶ batches ──training──▶ weights ──measuring──▶ losses

`proxy` is the whole as a `Proxy`; `training` is the loop, which uses `optimizing`, `curves`,
`writing` and `checkpoints`; `models` makes the model, `devices` says where it is trained.
"""
