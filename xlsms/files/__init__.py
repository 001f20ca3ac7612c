"""Manners on disk: who holds a file, and how one is replaced so that nothing is ever lost."""
