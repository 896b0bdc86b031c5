"""Draw the patches that the network trains on, and count them before and after."""
