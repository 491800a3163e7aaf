"""Bytes of a user's tables → records, and records with results → bytes. Pure: files in, values out, and back."""

from overnight.records.describe import Description, describe
from overnight.records.opening import open_table, open_tables
from overnight.records.reader import RecordSet, RecordsFile, read_records
from overnight.records.table import Table
from overnight.records.writer import results_columns, write_table

__all__ = [
    "Description",
    "RecordSet",
    "RecordsFile",
    "Table",
    "describe",
    "open_table",
    "open_tables",
    "read_records",
    "results_columns",
    "write_table",
]
