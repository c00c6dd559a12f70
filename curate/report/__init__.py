"""Write one self-contained page about the run, from its ledger and tables.

everything ──report──▶ report.html
"""
