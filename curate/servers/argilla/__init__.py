"""The embedded Argilla: `server` starts it; the other files run inside it."""
