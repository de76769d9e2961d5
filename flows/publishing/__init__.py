"""The views analysts read flip to the candidate in one transaction, and back."""
