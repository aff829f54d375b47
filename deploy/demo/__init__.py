"""The demo and the smoke test: everything at once on one machine, with simulated receivers and readers."""
