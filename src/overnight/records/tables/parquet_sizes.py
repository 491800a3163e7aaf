"""How much of a Parquet file fits into memory at once, before any of it is read.

A file of 16 kB may hold a text of 500 MB; one of 10 kB may name a text of 1 MB four thousand times, stored once in a
dictionary. What a file says of itself is believed here: one that lies about its sizes is Arrow's to find out.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ColumnChunkMetaData, ParquetFile, RowGroupMetaData

    from overnight.records.source import Source

BATCH_ROWS: Final = 2048
_BATCH_BYTES: Final = 128 << 20
"""Of one column, when its values stand one by one. Python takes up to four times as much for them."""
_SMALL_BYTES: Final = 64 << 20
_MOST_RATIO: Final = 300
"""As of XLSX: text shrinks to a tenth, equal rows to a hundredth."""
_LONG_BYTES: Final = 1 << 20
_MOST_NESTED_BYTES: Final = 2 << 30
"""Of all lists of a row group: one of its rows may hold them all, and a row is not divided."""


def refuse_swelling(file: "ParquetFile") -> None:
    """Raises ValueError for a column that unpacks to more than a table's text ever does."""
    for group in _groups(file):
        for chunk in _chunks(group):
            swells = chunk.total_uncompressed_size > max(_SMALL_BYTES, chunk.total_compressed_size * _MOST_RATIO)
            if swells and (_has_dictionary(chunk) or _mean_bytes(chunk) > _LONG_BYTES):
                raise ValueError(
                    f"column {chunk.path_in_schema!r} unpacks from {chunk.total_compressed_size:,} bytes to "
                    f"{chunk.total_uncompressed_size:,}: a file made to swell"
                )


def batch_rows(source: "Source", group: "RowGroupMetaData", number: int) -> int:
    """How many rows of the `number`-th row group are read at a time. Raises ValueError where one may be too many."""
    rows = BATCH_ROWS
    for chunk in _chunks(group):
        per_row = chunk.num_values / max(1, group.num_rows)  # more than one: it lies in lists
        largest = _largest_bytes(source, chunk, number)
        if chunk.num_values > group.num_rows and largest * chunk.num_values > _MOST_NESTED_BYTES:
            raise ValueError(
                f"column {chunk.path_in_schema!r} holds {chunk.num_values:,} values of up to {largest:,} bytes in lists"
            )
        rows = min(rows, int(_BATCH_BYTES / max(1.0, largest * per_row)))
    return max(1, rows)


def _largest_bytes(source: "Source", chunk: "ColumnChunkMetaData", number: int) -> int:
    """No value that stands in many rows is longer; those that stand once are taken for equally long."""
    if chunk.physical_type != "BYTE_ARRAY":
        return 8
    if not _has_dictionary(chunk):
        return _mean_bytes(chunk)
    if chunk.total_uncompressed_size * BATCH_ROWS <= _BATCH_BYTES:
        return int(chunk.total_uncompressed_size)
    return max(_mean_bytes(chunk), _longest_in_dictionary(source, chunk, number))


def _longest_in_dictionary(source: "Source", chunk: "ColumnChunkMetaData", number: int) -> int:
    """Reads some rows without putting the words in place of their numbers: each word is there once."""
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile

    column = chunk.path_in_schema
    with source.seekable() as stream:
        file = ParquetFile(stream, pre_buffer=False, read_dictionary=[column])
        batches = file.iter_batches(BATCH_ROWS, row_groups=[number], columns=[column], use_threads=False)
        batch = next(batches, None)
        words = [] if batch is None else [one for values in batch.columns for one in _dictionaries(values)]
        found = [pc.max(pc.binary_length(one)).as_py() for one in words if len(one)]
    return max((length or 0 for length in found), default=chunk.total_uncompressed_size)


def _dictionaries(values: "pa.Array") -> "Iterator[pa.Array]":
    """Of the values themselves, or of what lies in their lists, structs and maps."""
    import pyarrow.types as t

    kind = values.type
    if hasattr(kind, "storage_type"):
        yield from _dictionaries(values.storage)
    elif t.is_dictionary(kind):
        yield values.dictionary
    elif t.is_struct(kind):
        for i in range(kind.num_fields):
            yield from _dictionaries(values.field(i))
    elif t.is_nested(kind):
        yield from _dictionaries(values.values)


def _groups(file: "ParquetFile") -> "Iterator[RowGroupMetaData]":
    return (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))


def _chunks(group: "RowGroupMetaData") -> "Iterator[ColumnChunkMetaData]":
    return (group.column(i) for i in range(group.num_columns))


def _has_dictionary(chunk: "ColumnChunkMetaData") -> bool:
    return any("DICTIONARY" in encoding for encoding in chunk.encodings)


def _mean_bytes(chunk: "ColumnChunkMetaData") -> int:
    return int(chunk.total_uncompressed_size // max(1, chunk.num_values))
