"""Record → one line of bytes; lint against the importer's rules; shards. Pure: values in, values out."""
