"""Small language models that stand for large ones, to compare mixtures."""
