"""Tests of store/office."""
