"""Campaigns: a file of predictions in, one outcome for each, whatever dies on the way."""
