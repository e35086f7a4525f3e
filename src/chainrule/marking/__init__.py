"""Written-down numbers, held against a derivation: right or wrong, and which convention or mistake gives them."""
