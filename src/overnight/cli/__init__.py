"""The command line: one file a command group. `main.py` is the way in."""
