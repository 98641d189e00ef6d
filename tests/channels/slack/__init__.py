"""The Slack channel, tried against a stand-in that enforces Slack's limits."""
