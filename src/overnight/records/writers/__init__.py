"""Rows → bytes. One file a format, streamed; `records/writer.py` chooses."""
