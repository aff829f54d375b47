"""Forms of the audience's pages: they check shape; services check truth."""
