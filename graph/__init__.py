"""The decision graph: one state machine from a prediction to a recorded outcome."""
