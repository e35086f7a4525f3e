"""The local page: a network to walk through, to change, to fill in, to train and to keep."""
