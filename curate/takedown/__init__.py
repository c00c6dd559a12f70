"""Documents taken down for ever: naming them, erasing them, and the list of what is gone."""
