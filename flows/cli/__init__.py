"""The command `concord`: a thin front over the flows."""
