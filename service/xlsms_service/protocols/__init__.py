"""Wire protocols as bytes and events: no socket, no clock, no thread."""
