"""Where rows come from: the contract every system fulfils, and one folder per system."""
