"""Delivery's forms: shape is checked here, truth by the services and the servers."""
