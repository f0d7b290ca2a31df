"""OUT: what matched, as documents that any feed reader takes, and as files.

Rendering is pure and says the same bytes for the same input, in every process; `publish` writes them.
"""
