"""Great Expectations judges a promotion; failing rows go to quarantine with their document."""
