"""SQL of auto-close: one module for each noun."""
