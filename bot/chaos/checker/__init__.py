"""The independent checker: it reads bare rows, ledgers and logs, and knows none of the engine."""
