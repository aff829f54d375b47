"""The content pipeline, pure: Liquid in MJML or HTML goes in, compiled content comes out, with its problems in words.

`source` says what goes in and what comes out, `compiler` does it, `preview` renders one reader's copy, `checks` says
what still stands between a content and its launch. Liquid is parsed under limits (`language`), and protected by tokens
(`protection`) while the MJML compiler and the CSS inliner work on the markup around it.
"""
