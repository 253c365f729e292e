"""Placement: pack solar arrays, place equipment and turbines, and price their sites."""
