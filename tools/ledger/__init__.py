"""The ledger: exactly one typed outcome per prediction, whatever dies on the way."""
