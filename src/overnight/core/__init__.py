"""Nouns and rules. Values only: no file, socket, clock or database; everything else in the house leans on this room."""
