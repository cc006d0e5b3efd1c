"""Trial protocols, one TOML file each, and nothing but data."""
