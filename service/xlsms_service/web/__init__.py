"""The pages that a browser shows: preview and conversation."""
