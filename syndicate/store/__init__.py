"""KEEP: everything Syndicate knows, behind a small protocol of units of work."""
