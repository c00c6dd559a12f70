"""One reader for each format: bytes in, numbered rows out.

A reader is a function `(Reading) -> Iterator[(number, row)]`: `number` is the line or row in its
file, `row` a mapping of column → value, a text that says what is wrong with that row, or a `Skip`
for what is no document (a picture in a web archive). A file that cannot be read any further is a
DataError: what was read before it counts.
"""
