"""How faithful the icons of whole levels are at the default settings, beside baselines."""
