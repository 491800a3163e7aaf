"""Tables of cells: CSV and TSV, JSON Lines, Parquet, XLSX. One file a format: bytes in, rows out, streamed."""
