"""What both servers stand on: a clock, a store, faults, limits and the way in for scripts."""
