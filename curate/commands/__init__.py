"""The command line: `app` lists the commands, and each other file holds those of one subject.

A command translates and shows: parse → Spec → run → show. A stage's command is made from its
`Stage` (`stages`), its options from its Spec (`settings`).
"""
