"""How fast and how big: ratios to a yardstick in the same run. `python -m bench`; docs/explanation/performance.md."""
