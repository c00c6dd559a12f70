"""Learn from people's labels what a good document is, and score every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""
