"""The store's promises: one writer, whole deeds, one schema."""
