"""A local webhook receiver: it checks what arrives, and answers as another system would."""
