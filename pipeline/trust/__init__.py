"""Canonical bytes, manifests, signatures and their verification. Imports no stage."""
