"""Settle disagreement: how far people agree, and the most probable answer.

annotations ──agree──▶ labels · annotators
"""
