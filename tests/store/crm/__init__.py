"""Tests of store/crm."""
