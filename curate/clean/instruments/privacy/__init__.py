"""Personal data and secrets: `instrument` joins the finders, one file a kind."""
