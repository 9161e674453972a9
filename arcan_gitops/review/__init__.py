"""What a branch changes of who can read which secrets, and where they go: from Git's objects, without any
key.

`state_of` reads a repository at a commit into plain facts; `compare` holds two of them against each other and
against the history, and gives findings. Nothing of a branch is executed, and no value is ever kept.
"""
