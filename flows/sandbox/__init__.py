"""A company to rehearse on: generated extracts with planted truth."""
