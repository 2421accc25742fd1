"""The page in a browser: how soon it shows, how smoothly it moves, how soon it answers; on an atlas of full size."""
