"""How rules are run. The reference engine is the definition of every number; faster engines must equal it."""
