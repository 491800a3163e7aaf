"""The loop that closes the difference; one step a file. `loop.py` is the place to start reading."""
