"""Run tasks and return their records."""
