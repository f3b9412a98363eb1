"""What the graph's nodes use: records, data access, policies, the gate, prompts, models, email and ledger."""
