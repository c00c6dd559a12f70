"""Settle disagreement: how far people agree, and what the answer probably is.

annotations ──agree──▶ labels · annotators
"""
