"""What drives a campaign's workers: processes of this machine, or actors of a Ray cluster."""
