"""``Try your image``: where the positions of a photograph that is not in the image set fall on an atlas."""
