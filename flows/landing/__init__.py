"""Rows into raw, exactly as received, with their batch; cursor and rows commit together."""
