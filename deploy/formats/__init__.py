"""How dates are written in the admin, per language."""
