"""IN: where items come from. Bytes are fetched, decoded and parsed here, and leave clean and bounded."""
