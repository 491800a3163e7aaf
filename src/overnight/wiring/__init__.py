"""The one place that puts edges together, for the command line and the Python API.

opening.py opens a study; service.py knows the ways to a service; reporting.py fills the report. The same code serves
both realms: the embedded local cloud is another address, never another code path.
"""
