"""From compiled content to bytes: Liquid's syntax tree as one Python function that joins transfer-encoded pieces."""
