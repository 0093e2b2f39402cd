"""Bytes to records to documents: one module a format."""
