"""A Business Central tenant of the sandbox company: API v2.0, one set of books per company."""
