"""The demo: recorded human ratings, replayed through a real annotation server.

`curate` does not import the demo. The demo only calls its command line and the server's API.
"""
