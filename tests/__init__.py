"""The proofs, from one rule to a pulled plug."""
