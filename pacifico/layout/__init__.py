"""The layout engine: data in, plan out."""
