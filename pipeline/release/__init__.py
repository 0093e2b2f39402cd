"""Write a release: Parquet shards, ledger, card."""
