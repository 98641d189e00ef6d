"""A run, its approval, two workers and three reviewers, small enough that every state there is can be visited."""
