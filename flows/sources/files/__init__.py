"""Folders of files: the canonical extract format, or any other shape through a mapping file."""
