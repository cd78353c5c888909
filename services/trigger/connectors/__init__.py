"""Partners' own APIs, asked for what their events leave out. No database."""
