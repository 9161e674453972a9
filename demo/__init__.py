"""`make demo`: the whole product, once, on real input, in a temporary clone; nothing of it stays behind."""
