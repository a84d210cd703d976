"""The demo house "Maison Aurèle": two invented years, lived through the shop's own functions."""

from store.demo.growth import CUSTOMERS, SEED, SIGN_INS, TASK, ask_for_house, grow, state

__all__ = ["CUSTOMERS", "SEED", "SIGN_INS", "TASK", "ask_for_house", "grow", "state"]
