"""The process that a Courtroom starts."""

from flows.gates.courtroom import serve

serve()
