"""The mail catcher: a receiving SMTP server that behaves like the world, with simulated readers. Demo and smoke only.

It talks to 127.0.0.1 alone: the pages of the demo that started it and their intake of returned mail.
"""
