"""Damaged files by the hundred thousand, through every reader: read whole, or refused with words; nothing else."""
