"""Business Central: every company of an environment, over API v2.0."""
