"""The campaign pages of the admin: function views that parse, ask a service or a query, and render or redirect."""
