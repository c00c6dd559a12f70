"""Take documents down for ever: name them, erase them, and keep the list of their ids."""
