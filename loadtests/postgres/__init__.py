"""Real PostgreSQL clusters that drills may break: made, destroyed, promoted, restored."""
