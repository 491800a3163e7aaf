"""The stand-in: it answers where no model is. Deterministic, aware of the answer's schema, and it says what it is."""
