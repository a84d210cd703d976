"""Invoices and spec sheets on paper.

Names are resolved on first use: what sets the pages brings thirty megabytes along, which a process that prints nothing
does not need.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.shop.printing.design import DesignSheet, print_design
    from store.shop.printing.invoice import print_document, print_invoice

__all__ = ["DesignSheet", "print_design", "print_document", "print_invoice"]

_HOME = {"DesignSheet": "design", "print_design": "design", "print_document": "invoice", "print_invoice": "invoice"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
