"""The send path: lease a batch, journal the intent, build and send, append outcomes (docs/adr/0004)."""
