"""Learn from people what good documents are, and say it of every document.

    labels · clean ──score──▶ vectors · scores

Labelled documents are predicted by heads that never saw their labels (out of fold).
"""
