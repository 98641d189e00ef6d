"""A local mail server: strict SMTP, and every mailbox readable."""
