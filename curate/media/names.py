"""The names of the encoders that need no path, for settings: nothing is imported here."""

LITE0 = "efficientnet-lite0"
LOG_MEL = "log-mel"
