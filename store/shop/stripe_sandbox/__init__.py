"""The shop's own small Stripe-compatible sandbox: real HTTP, real state, no real money; driven by the real SDK only.

It runs as one child process of the shop and keeps its state in `stripe-sandbox.db` under the data directory, so that
neither its own death nor the shop's loses a payment or a webhook. It is never started in production.
"""

from store.shop.stripe_sandbox.keys import SandboxKeys, sandbox_keys
from store.shop.stripe_sandbox.process import SandboxProcess, start

__all__ = ["SandboxKeys", "SandboxProcess", "sandbox_keys", "start"]
