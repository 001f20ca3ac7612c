"""OOXML packages and their cells, read and patched in place; knows nothing of SMS."""
