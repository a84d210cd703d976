"""What a customer brought: margins of all lines over time less the cost of reaching her."""

from collections.abc import Sequence


def row_profit(margins: Sequence[int], contact_costs: Sequence[int]) -> int:
    """Sum of margins less the sum of contact costs, minor units of one currency, net of tax, exact."""
    return sum(margins) - sum(contact_costs)
