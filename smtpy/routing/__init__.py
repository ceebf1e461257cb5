"""What to do with a message: pure decisions, returned as values with their reasons. Applying them is the rim's work."""
