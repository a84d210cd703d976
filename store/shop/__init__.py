"""Selling: catalogue, designs, carts, orders, payments, stock and suggestions."""
