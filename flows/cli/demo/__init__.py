"""`concord demo`: a generated company in two sandbox systems, four runs, and what each showed."""

from flows.cli.demo.story import run_demo

__all__ = ["run_demo"]
