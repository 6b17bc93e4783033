"""A whole runtime that a trial may harm: its server, its plant, its operators, and its accounts."""
