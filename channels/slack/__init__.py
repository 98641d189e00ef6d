"""Slack: cards people press, modals they write in, and the command `/approvals`."""
