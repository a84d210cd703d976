"""Knowing the customer: profile and timeline, offers, messages and what they brought."""
