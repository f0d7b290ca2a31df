"""LOOK: pages for whoever may see them, and the published feeds over HTTP."""
