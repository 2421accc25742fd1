"""Images of single channels, side by side with torch-lucent's."""
