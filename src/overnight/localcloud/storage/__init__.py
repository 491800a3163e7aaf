"""Cloud Storage, JSON API: buckets, objects, uploads."""
