"""The report of a campaign: one HTML file, and the figures it is made of."""
