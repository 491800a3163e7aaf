"""The study's memory: one SQLite file. Facts are added, hardly ever changed. Start reading at `schema.sql`."""
