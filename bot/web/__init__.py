"""The HTTP door: pages, API, live events, sign-in."""
