"""Pure decisions: no await, no clock, no ids made, nothing read or written."""
