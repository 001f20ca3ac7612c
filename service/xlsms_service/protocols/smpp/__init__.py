"""SMPP 3.4 without a socket: the PDUs as values, a framer, a session, and the text of messages and receipts."""
