"""Training and applying networks, the same for every study."""
