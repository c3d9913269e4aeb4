"""The Data tab: what the store holds, and the ways in and out of it."""
