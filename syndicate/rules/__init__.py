"""MATCH: rules over items. Pure; nothing here knows where items come from or where matches go."""
