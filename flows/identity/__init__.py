"""Which records are the same customer; ids that last for ever."""
