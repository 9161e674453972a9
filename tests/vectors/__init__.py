"""Documents with what must come of them, one case a file; `make_vectors` writes them with the real sops."""
