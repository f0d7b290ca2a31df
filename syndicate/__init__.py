"""Watches news sources for what its owner cares about."""

__version__ = "0.1.0"
