"""The commands of `offers`. Command modules import little; what is heavy is imported when a command runs."""
