"""Measure and judge: language, features, rules, licence."""
