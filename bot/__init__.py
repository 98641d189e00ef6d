"""The door and the keys: HTTP, Slack, terminal and settings; the only room that knows all."""
