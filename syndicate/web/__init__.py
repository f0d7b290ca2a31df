"""LOOK: the start page, and the published feeds over HTTP."""
