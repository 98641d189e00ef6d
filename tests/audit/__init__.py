"""The record: anchored, checked, exported, and found out wherever a hand went over it."""
