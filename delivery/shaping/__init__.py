"""How sending adapts to a recipient site: profiles, rules over replies, and the pace that results; no Django here."""
