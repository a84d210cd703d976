"""Accounts: opening one, signing in, a new password or address, closing it; and what a person brings along."""

from store.accounts.arrival import Arrival, arrive
from store.accounts.credentials import set_password
from store.accounts.registration import claim_link

__all__ = ["Arrival", "arrive", "claim_link", "set_password"]
