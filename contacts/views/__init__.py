"""The audience's own pages of the admin: views that parse, ask a service or a query, and render or redirect."""
