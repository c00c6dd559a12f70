"""One reader for each format: bytes in, numbered rows out.

A reader is a function `(Reading) -> Iterator[(number, row)]`. `number` is the line or row in the
file. `row` is a mapping of column → value, a text that says what is wrong with the row, or a `Skip`
for what is no document (a picture in a web archive). A file that cannot be read any further raises
a DataError; the rows before it count.
"""
