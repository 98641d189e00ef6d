"""The stand-ins for Slack, mail and webhooks: what the demo shows and the tests speak to."""
