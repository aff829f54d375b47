"""Reading uploaded files of contacts and writing them in chunks."""
