"""The cases, by what they are about; each module has `cases()`."""
