"""Exports of a campaign: what an email service needs, and who gets nothing and why."""
