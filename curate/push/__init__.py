"""Send a round to people: the same push twice is one push.

sample ──push──▶ the round's projects on their server
"""
