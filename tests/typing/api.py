"""The public API as users write it; mypy reads this, nobody runs it."""
