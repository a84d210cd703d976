"""The shop: selling, knowing the customer, the customer's pages and the owner's back office."""
