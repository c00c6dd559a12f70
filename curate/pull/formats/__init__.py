"""Answers made with other tools: one module a tool, from its files to `Made`."""
