"""Limits that hold across all workers: permits for messages and leases for connections, kept in Redis by Lua."""
