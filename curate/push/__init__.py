"""Send a round to people; a second push sends nothing twice.

sample ──push──▶ the round's projects on their server
"""
