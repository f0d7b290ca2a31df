"""The JSON API, below /api/v1: one module for each thing that can be asked for."""
