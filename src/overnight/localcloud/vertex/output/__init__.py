"""The way of finished rows into the output file: small steps, one thing each."""
