"""Write one self-contained page that tells the run from its ledger and tables.

everything ──report──▶ report.html
"""
