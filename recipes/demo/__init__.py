"""The demo: recorded human ratings, replayed through a real annotation server.

`curate` itself knows nothing of this: the demo only calls its command line and the server's API.
"""
