"""Ways through the service: stage, submit, find, poll, collect, cancel. `backend.py` is the seam."""
