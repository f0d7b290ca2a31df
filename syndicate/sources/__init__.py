"""IN: where items come from. Bytes are fetched, decoded and parsed here, and leave as clean, bounded records."""
