"""What is compared of two records, per kind of record."""
