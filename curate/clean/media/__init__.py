"""Media on their way through `clean`: each is opened and decoded once, and all rules look at it."""
