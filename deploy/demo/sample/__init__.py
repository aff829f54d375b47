"""The sample shop: people with names in many scripts, lists, templates and one campaign. All of it is invented."""
