"""Pellucid: training corpora that anyone can check. Distribution and command are `pellucid`, the package `pipeline`."""

__version__ = "0.1.0"
