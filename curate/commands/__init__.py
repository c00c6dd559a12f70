"""Commands about things, and the options that all commands share; stages stand in `cli`."""
