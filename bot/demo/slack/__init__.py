"""A local Slack: its Web API, its limits, and people who press its buttons."""
