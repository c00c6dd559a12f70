"""Personal data and secrets: `instrument` joins the finders of the other files."""
