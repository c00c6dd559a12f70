"""The embedded Label Studio: `server` starts it, `inside` runs within it."""
